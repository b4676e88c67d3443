// `minimize`: prints the smallest scenario that still shows what a scenario shows.
#pragma once

#include <cstdint>
#include <string>

#include "wedge/main/files.hpp"
#include "wedge/main/interrupt.hpp"
#include "wedge/main/progress.hpp"
#include "wedge/main/scenario_files.hpp"
#include "wedge/main/subcommand.hpp"
#include "wedge/report/words.hpp"
#include "wedge/scenario/minimize.hpp"

namespace wedge {

class minimize_command final : public subcommand {
public:
    const char* name() const override { return "minimize"; }
    const char* purpose() const override {
        return "Remove from a scenario what its outcome does not need";
    }

    void add_options(CLI::App& options) override {
        options.add_option("FILE", file_, "The scenario, which stays as it is")
            ->required()
            ->type_name("");
        add_out(options, out_, "FILE", "Where the result goes (default: standard output)");
        add_flag(options, "--order-only", options_.is_order_only,
                 "Keep what the order pass says; do not explore");
        add_pressure(options, options_.under);
        explore_options& how = options_.explore;
        add_number(options, "--executions", how.executions_max, 1, "The budget of each check");
        add_number(options, "--seed", how.seed, 0, "The seed of the random strategies");
    }

    /// The exit status is that of `check`.
    int run(const invocation& call) override {
        const scenario::document all = read_scenario(file_);
        const interrupt_scope interrupted;
        options_.explore.stop = &interrupt_scope::requested;
        const scenario::check_result first = checked(call, all);
        const int status = first.is_met ? exit_status::clean : exit_status::findings;
        if (!scenario::same_outcome(first).is_of_findings()) {
            if (interrupt_scope::requested.load()) {
                call.complain(file_ + ": interrupted before anything was found");
                return exit_status::interrupted;
            }
            call.complain(file_ + ": " + first.what + ", there is nothing to minimize");
            return status;
        }
        scenario::minimize_progress last{0, scenario::statements_of(all)};
        const scenario::document small = minimized(call, all, first, last);
        const std::string text = scenario::to_string(small);
        if (out_.empty())
            call.print(text);
        else
            write_text(out_, text);
        std::string note = file_ + ": " + first.what + "; ";
        note += report::counted(scenario::statements_of(all), "statement") + " became " +
                std::to_string(last.statements) + ", " + report::counted(last.tried, "scenario") +
                " tried";
        if (interrupt_scope::requested.load()) note += "; interrupted, stopped early";
        call.complain(note);
        return interrupt_scope::requested.load() && status == exit_status::clean
                   ? exit_status::interrupted
                   : status;
    }

private:
    scenario::check_result checked(const invocation& call, const scenario::document& all) {
        progress_line progress(call.err, file_);
        scenario::check_options options = options_;
        options.explore.on_progress = &progress_line::on;
        options.explore.progress_data = &progress;
        return scenario::check(all, options);
    }

    scenario::document minimized(const invocation& call, const scenario::document& all,
                                 const scenario::check_result& first,
                                 scenario::minimize_progress& last) const {
        progress_line progress(call.err, file_);
        return scenario::minimize(
            all, first, options_, [&](const scenario::minimize_progress& now) {
                last = now;
                progress.show([&] {
                    return report::counted(now.tried, "scenario") + " tried, " +
                           report::counted(now.statements, "statement") + " left";
                });
            });
    }

    scenario::check_options options_ = check_defaults();
    std::string file_;
    std::string out_;
};

}  // namespace wedge
