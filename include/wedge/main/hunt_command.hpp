// `hunt`: every engine on every workload until there is a verdict or the budget is spent.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wedge/event/schedule_text.hpp"
#include "wedge/fuzz/engine.hpp"
#include "wedge/main/files.hpp"
#include "wedge/main/interrupt.hpp"
#include "wedge/main/picture.hpp"
#include "wedge/main/progress.hpp"
#include "wedge/main/subcommand.hpp"
#include "wedge/report/dot.hpp"
#include "wedge/report/text.hpp"
#include "wedge/scenario/record.hpp"

namespace wedge {

/// Fuzzes programs first, since a default program may miss the bug; what stays quiet is then
/// explored, which may prove it sound.
class hunt_command final : public subcommand {
public:
    const char* name() const override { return "hunt"; }
    const char* purpose() const override {
        return "Fuzz and explore the workloads until each has a verdict or its time is spent";
    }

    void add_options(CLI::App& options) override {
        options.add_option("WORKLOAD", wanted_, "The workloads to hunt in (default: all)")
            ->type_name("");
        add_number(options, "--seconds", seconds_, 1, "The time for all workloads together");
        add_number(options, "--seed", seed_, 0, "The seed of fuzzing and of the random strategies");
        options.add_option("--out", folder_, "Where findings are saved (default: findings)")
            ->type_name("DIR");
    }

    int run(const invocation& call) override {
        const std::vector<const workload_entry*> chosen = choose(call);
        make_folder(folder_);
        const interrupt_scope interrupted;
        std::size_t as_expected = 0;
        std::size_t hunted = 0;
        for (const workload_entry* each : chosen) {
            if (interrupt_scope::requested.load()) break;
            const double share = double(seconds_) / double(chosen.size());
            if (hunt(call, *each, share)) ++as_expected;
            ++hunted;
            std::fflush(call.out);
        }
        call.print(report::counted(hunted, "workload") + " hunted, " +
                   std::to_string(as_expected) + " as expected\n");
        if (hunted < chosen.size()) call.print("stopped early\n");
        return as_expected == chosen.size() ? exit_status::clean : exit_status::findings;
    }

private:
    using clock = std::chrono::steady_clock;

    static constexpr std::uint64_t executions_max = 2'000'000;  // of the proof; time ends it before
    static constexpr std::uint64_t pair_executions_max = 20'000;

    /// What a hunt in one workload came to.
    struct quarry {
        std::optional<finding> found;
        std::string engine;
        outcome explored;  ///< when fuzzing found nothing
    };

    std::vector<const workload_entry*> choose(const invocation& call) const {
        if (call.workloads.empty())
            throw error("hunt: this program has no workload; one built with "
                        "WEDGE_MAIN(workload...) has");
        std::vector<const workload_entry*> chosen;
        for (const std::string& name : wanted_)
            chosen.push_back(&call.workloads[place_of("WORKLOAD", name, call.workload_names())]);
        if (chosen.empty())
            for (const workload_entry& each : call.workloads) chosen.push_back(&each);
        return chosen;
    }

    /// @return whether the result is the expected one
    bool hunt(const invocation& call, const workload_entry& workload, double seconds) const {
        quarry caught;
        {
            progress_line progress(call.err, workload.name);
            const clock::time_point start = clock::now();
            fuzz(workload, until(start, seconds / 2), progress, caught);
            if (!caught.found) explore(workload, until(start, seconds), progress, caught);
        }
        const result what = !caught.found             ? caught.explored.what
                            : caught.found->is_stuck() ? result::deadlock
                                                       : result::finding;
        const bool is_expected =
            workload.expected ? (what == *workload.expected ||
                                 (*workload.expected == result::sound && !caught.found))
                              : !caught.found;
        call.print("== " + workload.name + ": " +
                   (caught.found ? name_of(what) : "nothing found") +
                   (is_expected ? "" : ", which is not expected") + "\n\n");
        if (caught.found)
            report(call, workload, caught);
        else
            call.print("  engines  " + caught.engine + "\n           " +
                       report::summary_of(caught.explored) + "\n\n");
        return is_expected;
    }

    static clock::time_point until(clock::time_point start, double seconds) {
        return start + std::chrono::duration_cast<clock::duration>(
                           std::chrono::duration<double>(seconds));
    }
    static bool is_over(clock::time_point end) {
        return clock::now() >= end || interrupt_scope::requested.load();
    }

    /// Random programs, of which those that do something new are kept and mutated further.
    void fuzz(const workload_entry& workload, clock::time_point end, progress_line& progress,
              quarry& caught) const {
        fuzz_group group({workload.fuzzing()});
        fuzz_engine engine(group, seed_);
        outcome so_far;
        while (!caught.found && !is_over(end)) {
            if (std::optional<fuzz_sighting> shown = engine.step())
                caught.found = std::move(shown->what);
            so_far.executions = engine.executions();
            progress_line::on(so_far, &progress);
        }
        caught.engine = "fuzz: " + report::counted(engine.executions(), "program");
    }

    void explore(const workload_entry& workload, clock::time_point end, progress_line& progress,
                 quarry& caught) const {
        struct watch {
            clock::time_point end;
            progress_line& line;
            std::atomic<bool> stop{false};
        } time{end, progress};
        explore_options options{.seed = seed_, .stop = &time.stop};
        options.on_progress = [](const outcome& so_far, void* data) {
            watch& now = *static_cast<watch*>(data);
            progress_line::on(so_far, &now.line);
            if (is_over(now.end)) now.stop = true;
        };
        options.progress_data = &time;
        std::size_t exhausted = 0;
        std::vector<program> all = pairs_of(workload);
        const std::size_t pairs = all.size();
        all.push_back(workload.usual);
        for (const program& calls : all) {
            if (caught.found || is_over(end)) break;
            options.executions_max = &calls == &all.back() ? executions_max : pair_executions_max;
            caught.explored = workload.explore(calls, options);
            if (caught.explored.exhausted && &calls != &all.back()) ++exhausted;
            for (const finding& each : caught.explored.findings)
                if (each.judged != verdict::refuted && !caught.found) caught.found = each;
        }
        caught.engine += ", none failed\n           explore: " + std::to_string(exhausted) +
                         " of " + report::counted(pairs, "pair") +
                         " of actions exhausted, no deadlock is possible in those; then " +
                         to_string(workload.usual);
    }

    /// Each two actions as two tasks, an action and itself too: small enough to be proved.
    static std::vector<program> pairs_of(const workload_entry& workload) {
        std::vector<program> pairs;
        for (std::size_t i = 0; i < workload.actions.size(); ++i)
            for (std::size_t j = i; j < workload.actions.size(); ++j)
                pairs.push_back({{call{workload.actions[i], 0}}, {call{workload.actions[j], 1}}});
        return pairs;
    }

    /// One block a finding: what, by whom, and the three files that explain and repeat it.
    void report(const invocation& call, const workload_entry& workload,
                const quarry& caught) const {
        const finding& found = *caught.found;
        const std::string path = finding_path(folder_, workload.name, found);
        std::string notes = "  engine    " + caught.engine + "\n";
        if (!found.best.decisions.empty()) {
            write_text(path + ".schedule", to_string(found.best));
            if (found.is_stuck()) notes += save_scenario(workload, found, path + ".wedge");
        }
        write_text(path + ".dot", dot_of(found));
        const bool is_drawn = draw(path + ".dot", path + ".svg");
        notes += "  picture   " + path + (is_drawn ? ".svg\n" : ".dot (Graphviz is missing)\n");
        const std::string replay =
            found.best.decisions.empty() ? "" : call.replay_line(path + ".schedule");
        call.print(text_of(found) + notes + (replay.empty() ? "" : "replay: " + replay + "\n") +
                   "\n");
    }

    static std::string save_scenario(const workload_entry& workload, const finding& found,
                                     const std::string& path) {
        const std::unique_ptr<subject> what =
            workload.fuzzing().with(parse_program(found.best.program));
        write_text(path, scenario::scenario_of(*what, found,
                                               "# The locks of a deadlock that `wedge hunt` found "
                                               "in " + workload.name + ":\n# " +
                                                   found.best.program + "\n"));
        return "  scenario  " + path + "\n";
    }

    std::vector<std::string> wanted_;
    std::uint64_t seconds_ = 60;
    std::uint64_t seed_ = 1;
    std::string folder_ = "findings";
};

}  // namespace wedge
