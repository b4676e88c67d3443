// `hunt`: runs every engine on workloads and scenarios until there is a verdict or the time is
// spent.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "wedge/core/schedule_text.hpp"
#include "wedge/fuzz/engine.hpp"
#include "wedge/main/files.hpp"
#include "wedge/main/interrupt.hpp"
#include "wedge/main/picture.hpp"
#include "wedge/main/progress.hpp"
#include "wedge/main/subcommand.hpp"
#include "wedge/main/target.hpp"
#include "wedge/report/dot.hpp"
#include "wedge/report/text.hpp"
#include "wedge/scenario/saved.hpp"

namespace wedge {

/// A workload is fuzzed first, since a default program may miss the bug. If nothing is found it is
/// explored, which may prove it sound. A scenario is its own program: it goes through the order
/// pass, the search over states if it has comparable states, then the portfolio.
class hunt_command final : public subcommand {
public:
    const char* name() const override { return "hunt"; }
    const char* purpose() const override {
        return "Try every engine on workloads and scenarios until each has a verdict or its time "
               "is spent";
    }

    void add_options(CLI::App& options) override {
        options
            .add_option("TARGET", wanted_,
                        "Workloads, files of scenarios, and folders of them (default: all "
                        "workloads). Of several scenarios only those that do not do what they "
                        "expect are shown in full")
            ->type_name("");
        add_number(options, "--seconds", seconds_, 1, "The time for all targets together");
        add_number(options, "--executions", executions_max_, 1, "The bound of one search");
        add_number(options, "--seed", seed_, 0, "The seed of fuzzing and of the random strategies");
        add_pressure(options, under_);
        add_out(options, folder_, "DIR", "Where findings are saved (default: findings)");
    }

    int run(const invocation& call) override {
        std::uint64_t unread = 0;
        std::vector<target> chosen = targets_of(call, wanted_, unread);
        // Targets that should be sound take all the time that they get, so they come last.
        std::stable_partition(chosen.begin(), chosen.end(), [](const target& each) {
            return !each.workload || each.workload->expected != result::sound;
        });
        make_folder(folder_);
        const interrupt_scope interrupted;
        const clock::time_point end = until(clock::now(), double(seconds_));
        std::size_t as_expected = 0;
        std::size_t hunted = 0;
        open_ = 0;
        std::size_t left = chosen.size();
        for (const target& each : chosen) {
            if (interrupt_scope::requested.load()) break;
            // Time that earlier targets did not need goes to later ones.
            const clock::time_point now = clock::now();
            const clock::time_point share =
                now + std::max(end - now, clock::duration{}) / static_cast<int>(left--);
            const bool is_hunted = call.guarded([&] {
                const bool is_expected = each.workload
                                             ? hunt(call, *each.workload, share)
                                             : hunt(call, each.file, share, chosen.size() == 1);
                as_expected += is_expected ? 1 : 0;
            });
            ++(is_hunted ? hunted : unread);
            std::fflush(call.out);
        }
        call.print(
            report::counted(hunted, noun_of(chosen)) + " hunted, " + std::to_string(as_expected) +
            " as expected" + (open_ == 0 ? "" : ", " + std::to_string(open_) + " interrupted") +
            (unread == 0 ? "" : "; " + std::to_string(unread) + " could not be read") + "\n");
        if (interrupt_scope::requested.load())
            call.print("interrupted: stopped early" +
                       (hunted == chosen.size()
                            ? ""
                            : ", " + report::counted(chosen.size() - hunted, noun_of(chosen)) +
                                  " not hunted") +
                       "\n");
        if (unread != 0) return exit_status::misuse;
        return exit_status::of(as_expected + open_ == hunted, open_ + chosen.size() != hunted);
    }

private:
    using clock = std::chrono::steady_clock;

    static constexpr std::uint64_t pair_executions_max = 20'000;

    /// The result of a hunt in a workload.
    struct quarry {
        std::optional<finding> found;
        std::string engine;
        outcome explored;  ///< if fuzzing found nothing
    };

    /// The result of a hunt in a scenario.
    struct searched_scenario {
        scenario::check_result result;
        std::string engines = "the order pass";
    };

    /// Ends a search when its time is over, or when the user asks for it.
    class search_watch {
    public:
        search_watch(clock::time_point end, progress_line& line) : end_(end), line_(line) {}
        search_watch(const search_watch&) = delete;
        search_watch& operator=(const search_watch&) = delete;

        void add_to(explore_options& options) {
            options.stop = &stop_;
            options.on_progress = [](const outcome& so_far, void* self) {
                search_watch& mine = *static_cast<search_watch*>(self);
                progress_line::on(so_far, &mine.line_);
                if (is_over(mine.end_)) mine.stop_ = true;
            };
            options.progress_data = this;
        }

    private:
        const clock::time_point end_;
        progress_line& line_;
        std::atomic<bool> stop_{false};
    };

    static std::string noun_of(const std::vector<target>& all) {
        std::size_t workloads = 0;
        for (const target& each : all) workloads += each.workload ? 1 : 0;
        return workloads == all.size() ? "workload" : workloads == 0 ? "scenario" : "target";
    }

    /// @return whether the result is the expected one
    bool hunt(const invocation& call, const workload_entry& workload, clock::time_point end) {
        quarry caught;
        {
            progress_line progress(call.err, workload.name);
            const clock::time_point now = clock::now();
            fuzz(workload, now + (end - now) / 2, progress, caught);
            if (!caught.found) explore(workload, end, progress, caught);
        }
        const result what = !caught.found              ? caught.explored.what
                            : caught.found->is_stuck() ? result::deadlock
                                                       : result::finding;
        const bool is_open = !caught.found && interrupt_scope::requested.load();
        const bool is_expected = is_open ? false
                                 : workload.expected
                                     ? (what == *workload.expected ||
                                        (*workload.expected == result::sound && !caught.found))
                                     : !caught.found;
        if (is_open) ++open_;
        call.print("== " + workload.name + ": " +
                   (is_open        ? "interrupted, nothing found so far"
                    : caught.found ? name_of(what)
                                   : "nothing found") +
                   (is_expected || is_open ? "" : ", which is not expected") + "\n\n");
        if (caught.found)
            report(call, workload, caught);
        else
            call.print("  engines  " + caught.engine + "\n" +
                       (caught.explored.executions + caught.explored.pruned == 0
                            ? ""
                            : "           " + report::summary_of(caught.explored) + "\n") +
                       "\n");
        return is_expected;
    }

    /// @return whether the scenario meets its expectations
    bool hunt(const invocation& call, const std::string& file, clock::time_point end,
              bool is_only) {
        const scenario::document all = read_scenario(file);
        searched_scenario caught;
        {
            progress_line progress(call.err, file);
            caught = search(all, end, progress);
        }
        scenario::check_result& result = caught.result;
        if (interrupt_scope::requested.load() && !is_settled(result)) {
            ++open_;
            result.is_met = false;
            call.print(file + ": interrupted, " + result.what +
                       " so far; expected: " + joined(result.expected) + "\n");
            return false;
        }
        call.print(
            file + ": " + result.what +
            (result.is_met ? ", as expected\n" : "; expected: " + joined(result.expected) + "\n"));
        if (!is_only && result.is_met) return true;
        call.print("\n  engines  " + caught.engines + "\n           " +
                   report::summary_of(result.found) + "\n\n");
        const report::findings_by_cause grouped(result.found.findings);
        call.print(grouped.lead());
        for (const std::size_t i : grouped.order()) {
            call.print(grouped.heading(i));
            finding found = result.found.findings[i];
            scenario::name_locks(found, result.titles);
            const std::string schedule = save_schedule(file, folder_, found);
            const std::string stem = std::filesystem::path(file).stem().string();
            report(call, found, finding_path(folder_, stem, found), schedule, "");
        }
        return result.is_met;
    }

    searched_scenario search(const scenario::document& all, clock::time_point end,
                             progress_line& progress) const {
        searched_scenario so_far;
        scenario::check_options options = check_defaults();
        options.explore.executions_max = executions_max_;
        options.explore.steps_all_max = ~std::uint64_t{0};  // the time ends the search
        options.explore.seed = seed_;
        options.under = under_;
        const auto run = [&](const char* engine, clock::time_point engine_end) {
            search_watch watch(engine_end, progress);
            watch.add_to(options.explore);
            scenario::check_result result = scenario::check(all, options);
            so_far.engines += std::string(", ") + engine + ": " +
                              report::counted(result.found.executions, "execution");
            const bool is_worse = result.found.what < so_far.result.found.what;
            if (so_far.result.what.empty() || is_worse || result.found.exhausted)
                so_far.result = std::move(result);
        };
        if (scenario::scenario_subject(all, under_).state()) {
            const clock::time_point now = clock::now();
            run("a search over states", now + (end - now) / 2);
            if (is_settled(so_far.result) || is_over(end)) return so_far;
            options.is_stateless = true;
        }
        run("the portfolio of strategies", end);
        return so_far;
    }

    /// Returns whether every finding has its verdict, and no worse finding can follow.
    static bool is_settled(const scenario::check_result& of) {
        return of.found.exhausted || of.found.what == result::deadlock ||
               of.found.what == result::livelock;
    }

    static clock::time_point until(clock::time_point start, double seconds) {
        return start +
               std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(seconds));
    }
    static bool is_over(clock::time_point end) {
        return clock::now() >= end || interrupt_scope::requested.load();
    }

    /// Runs random programs, and keeps and mutates those that do something new.
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
        search_watch watch(end, progress);
        explore_options options{.seed = seed_};
        watch.add_to(options);
        std::size_t exhausted = 0;
        std::vector<program> all = pairs_of(workload);
        const std::size_t pairs = all.size();
        all.push_back(workload.usual);
        for (const program& calls : all) {
            if (caught.found || is_over(end)) break;
            options.executions_max = &calls == &all.back() ? executions_max_ : pair_executions_max;
            caught.explored = workload.explore(calls, options);
            if (caught.explored.exhausted && &calls != &all.back()) ++exhausted;
            for (const finding& each : caught.explored.findings)
                if (each.judged != verdict::refuted && !caught.found) caught.found = each;
        }
        caught.engine += ", none failed\n           explore: " + std::to_string(exhausted) +
                         " of " + report::counted(pairs, "pair") + " of actions exhausted" +
                         (exhausted == 0 ? "" : ", no deadlock is possible in those");
        if (!interrupt_scope::requested.load())
            caught.engine += "; then " + to_string(workload.usual);
    }

    /// Returns programs of two tasks, one for each pair of actions, equal ones included. They are
    /// small enough to be proved.
    static std::vector<program> pairs_of(const workload_entry& workload) {
        std::vector<program> pairs;
        for (std::size_t i = 0; i < workload.actions.size(); ++i)
            for (std::size_t j = i; j < workload.actions.size(); ++j)
                pairs.push_back({{call{workload.actions[i], 0}}, {call{workload.actions[j], 1}}});
        return pairs;
    }

    void report(const invocation& call, const workload_entry& workload,
                const quarry& caught) const {
        const finding& found = *caught.found;
        const std::string path = finding_path(folder_, workload.name, found);
        std::string notes = "  engine    " + caught.engine + "\n";
        std::string schedule;
        if (!found.best.decisions.empty()) {
            schedule = path + ".schedule";
            write_text(schedule, to_string(found.best));
            if (found.is_stuck()) notes += save_scenario(workload, found, path + ".wedge");
        }
        report(call, found, path, schedule, notes);
    }

    /// Prints one block per finding: what, by which engine, and the files that explain and repeat
    /// it.
    static void report(const invocation& call, const finding& found, const std::string& path,
                       const std::string& schedule, const std::string& notes) {
        std::string text = text_of(found) + notes;
        text += "  picture   " + save_picture(path, dot_of(found)) + "\n";
        if (!schedule.empty()) text += "replay: " + call.replay_line(schedule) + "\n";
        call.print(text + "\n");
    }

    static std::string save_scenario(const workload_entry& workload, const finding& found,
                                     const std::string& path) {
        workload_subject what(*workload.fuzzing().type, parse_program(found.best.program));
        const std::string text =
            scenario::scenario_of(what, found,
                                  "# A deadlock that `wedge hunt` found in " + workload.name +
                                      ":\n# " + found.best.program + "\n");
        if (text.empty()) return "  scenario  " + scenario::unsaid + "\n";
        write_text(path, text);
        return "  scenario  " + path + "\n";
    }

    std::vector<std::string> wanted_;
    std::uint64_t seconds_ = 60;
    std::uint64_t executions_max_ = 2'000'000;  // the time ends the search before
    std::uint64_t seed_ = 1;
    pressure under_{};
    std::string folder_ = "findings";
    std::size_t open_ = 0;  // targets without a verdict, because the user has ended the search
};

}  // namespace wedge
