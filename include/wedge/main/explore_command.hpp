// `explore`: tries the interleavings of the workloads, reports and saves what is found.
#pragma once

#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "wedge/event/schedule_text.hpp"
#include "wedge/event/signature.hpp"
#include "wedge/main/files.hpp"
#include "wedge/main/interrupt.hpp"
#include "wedge/main/picture.hpp"
#include "wedge/main/progress.hpp"
#include "wedge/main/subcommand.hpp"
#include "wedge/report/dot.hpp"
#include "wedge/report/json.hpp"
#include "wedge/report/text.hpp"

namespace wedge {

class explore_command final : public subcommand {
public:
    const char* name() const override { return "explore"; }
    const char* purpose() const override {
        return "Try the interleavings of the workloads; report and save what is found";
    }

    void add_options(CLI::App& options) override {
        const auto choice = [&](const char* option, auto& target, const auto& names,
                                const char* what) {
            const std::vector<std::string> all(std::begin(names), std::end(names));
            options
                .add_option_function<std::string>(
                    option,
                    [option, &target, all](const std::string& text) {
                        using value = std::remove_reference_t<decltype(target)>;
                        target = static_cast<value>(place_of(option, text, all));
                    },
                    std::string(what) + ": " + joined(all))
                ->type_name("NAME")
                ->take_last();
        };
        options.add_option("WORKLOAD", wanted_, "The workload to explore (default: all)")
            ->type_name("");
        options
            .add_option("--program", program_,
                        "Who calls what: tasks apart by |, calls by commas, as 'fault | evict(3)'")
            ->type_name("TEXT");
        choice("--strategy", options_.how, strategy_names, "How to search");
        add_number(options, "--seed", options_.seed, 0, "The seed of the random strategies");
        add_number(options, "--executions", options_.executions_max, 1, "The budget");
        add_number(options, "--steps", options_.steps_max, 1, "The bound of one execution");
        add_number(options, "--depth", options_.depth, 1, "How many steps PCT orders");
        add_number(options, "--preemptions", options_.preemptions_max, 0,
                   "The bound of the exhaustive search");
        add_number(options, "--jobs", options_.jobs, 1, "How many threads search");
        choice("--substrate", options_.on, substrate_names, "What carries the tasks");
        options.add_option("--out", folder_, "Where schedules are saved (default: here)")
            ->type_name("DIR");
        const auto flag = [&](const char* option, bool& target, const char* what) {
            options.add_flag(option, target, what)->disable_flag_override();
        };
        flag("--json", as_json_, "Print one JSON object a workload");
        flag("--dot", with_dot_, "Save a digraph of each finding");
        flag("--picture", with_picture_, "Save a digraph and an SVG of each finding");
    }

    int run(const invocation& call) override {
        const std::vector<const workload_entry*> chosen = choose(call);
        if (!folder_.empty()) make_folder(folder_);
        const interrupt_scope interrupted;
        bool is_clean = true;
        for (const workload_entry* each : chosen) {
            if (!explore(call, *each)) is_clean = false;
            std::fflush(call.out);
            if (interrupt_scope::requested.load()) {
                std::fprintf(call.err, "%s: stopped early\n", each->name.c_str());
                break;
            }
        }
        return is_clean ? exit_status::clean : exit_status::findings;
    }

private:
    std::vector<const workload_entry*> choose(const invocation& call) const {
        if (call.workloads.empty())
            throw error("explore: this program has no workload; one built with "
                        "WEDGE_MAIN(workload...) has");
        std::vector<const workload_entry*> chosen;
        if (!wanted_.empty()) {
            chosen.push_back(
                &call.workloads[place_of("WORKLOAD", wanted_, call.workload_names())]);
        } else {
            for (const workload_entry& each : call.workloads) chosen.push_back(&each);
        }
        if (!program_.empty() && chosen.size() > 1)
            throw error("--program: say for which WORKLOAD (" + joined(call.workload_names()) +
                        ")");
        return chosen;
    }

    /// @return whether nothing was found that stands
    bool explore(const invocation& call, const workload_entry& workload) {
        const program calls = program_.empty() ? workload.usual : parsed(workload);
        outcome all;
        {
            progress_line progress(call.err, workload.name);
            explore_options options = options_;
            options.stop = &interrupt_scope::requested;
            options.on_progress = &progress_line::on;
            options.progress_data = &progress;
            all = workload.explore(calls, options);
        }
        report(call, workload, to_string(calls), all);
        return all.what == result::sound || all.what == result::unresolved;
    }

    /// Saves, then prints. A file that cannot be written does not cost the report.
    void report(const invocation& call, const workload_entry& workload, const std::string& calls,
                const outcome& all) const {
        json_context context{workload.name, calls, {}};
        std::vector<std::string> replays;
        std::string notes;
        std::optional<error> unsaved;
        for (const finding& found : all.findings) {
            std::string file;
            try {
                file = save_schedule(workload, found);
                if (with_dot_ || with_picture_) notes += save_picture(workload, found);
            } catch (const error& failed) {
                unsaved = failed;
            }
            replays.push_back(file.empty() ? "" : call.replay_line(file));
            context.schedules.push_back(std::move(file));
        }
        if (as_json_)
            call.print(json_of(all, context));
        else
            call.print(workload.name + ": " + calls + "\n\n" + text_of(all, replays) + notes +
                       "\n");
        if (unsaved) throw error(*unsaved);
    }

    /// Messages about a program begin with `program:`; the option's name is one step away.
    program parsed(const workload_entry& workload) const {
        try {
            program calls = parse_program(program_);
            for (const std::vector<call>& task : calls)
                for (const call& each : task)
                    static_cast<void>(place_of("program: action", each.action, workload.actions));
            return calls;
        } catch (const error& wrong) {
            throw error(std::string("--") + wrong.what());
        }
    }

    std::string path_of(const workload_entry& workload, const finding& found,
                        const char* extension) const {
        return finding_path(folder_, workload.name, found) + extension;
    }

    /// @return the file, or nothing when the finding has no schedule
    std::string save_schedule(const workload_entry& workload, const finding& found) const {
        if (found.best == schedule{}) return {};
        std::string path = path_of(workload, found, ".schedule");
        write_text(path, to_string(found.best));
        return path;
    }

    std::string save_picture(const workload_entry& workload, const finding& found) const {
        const std::string dot = path_of(workload, found, ".dot");
        const std::string svg = path_of(workload, found, ".svg");
        write_text(dot, dot_of(found));
        if (!with_picture_) return "picture: " + dot + "\n";
        if (draw(dot, svg)) return "picture: " + svg + "\n";
        return "picture: " + dot + " (no SVG: Graphviz's dot is missing or failed)\n";
    }

    explore_options options_;
    std::string wanted_;
    std::string program_;
    std::string folder_;
    bool as_json_ = false;
    bool with_dot_ = false;
    bool with_picture_ = false;
};

}  // namespace wedge
