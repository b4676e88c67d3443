// `hunt`: runs every engine on workloads and scenarios until there is a verdict or the time is
// spent.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wedge/core/schedule_text.hpp"
#include "wedge/fuzz/engine.hpp"
#include "wedge/main/allowed.hpp"
#include "wedge/main/early_findings.hpp"
#include "wedge/main/files.hpp"
#include "wedge/main/finding_files.hpp"
#include "wedge/main/interrupt.hpp"
#include "wedge/main/picture.hpp"
#include "wedge/main/progress.hpp"
#include "wedge/main/stall_report.hpp"
#include "wedge/main/subcommand.hpp"
#include "wedge/main/target.hpp"
#include "wedge/order/lock_pairs.hpp"
#include "wedge/report/dot.hpp"
#include "wedge/report/text.hpp"
#include "wedge/scenario/run.hpp"
#include "wedge/scenario/saved.hpp"
#include "wedge/scenario/uses.hpp"

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
                        "Workloads, files of scenarios, and directories of them (default: all "
                        "workloads). Of several scenarios only those that do not do what they "
                        "expect are shown in full")
            ->type_name("");
        add_number(options, "--seconds", seconds_, 1, "The time for all targets together");
        add_number(options, "--executions", executions_max_, 1, "The bound of one search");
        add_number(options, "--seed", seed_, 0, "The seed of fuzzing and of the random strategies");
        add_pressure(options, under_);
        add_number(options, "--watchdog", patience_, 0,
                   "Report a task that comes to no step for so many seconds, and end; 0: never");
        add_out(options, folder_, "DIR", "Where findings are saved (default: findings)");
        allowed_.add_to(options);
        add_flag(options, "--json", as_json_, "Print one JSON object per target");
    }

    int run(const invocation& call) override {
        std::uint64_t unread = 0;
        std::vector<target> chosen = targets_of(call, wanted_, unread);
        stem_of_ = stems_of(chosen);
        // Targets that should be sound take all the time that they get, so they come last.
        std::stable_partition(chosen.begin(), chosen.end(), [](const target& each) {
            return !each.workload || each.workload->expected != result::sound;
        });
        allowed_.read();
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
        const std::string summary =
            report::counted(hunted, noun_of(chosen)) + " hunted, " + std::to_string(as_expected) +
            " as expected" + (open_ == 0 ? "" : ", " + std::to_string(open_) + " interrupted") +
            (unread == 0 ? "" : "; " + std::to_string(unread) + " could not be read") + "\n";
        if (!as_json_) call.print(summary);
        if (interrupt_scope::requested.load() && (open_ != 0 || hunted != chosen.size()))
            say(call, "interrupted: stopped early" +
                          (hunted == chosen.size()
                               ? ""
                               : ", " + report::counted(chosen.size() - hunted, noun_of(chosen)) +
                                     " not hunted") +
                          "\n");
        allowed_.report(call, unread == 0 && !interrupt_scope::requested.load());
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
        std::uint64_t programs = 0;  ///< that fuzzing ran
        lock_pair_list lock_pairs;   ///< that the programs of all engines have shown
        outcome explored;            ///< if fuzzing found nothing
    };

    /// The result of a hunt in a scenario.
    struct searched_scenario {
        scenario::check_result result;
        std::string engines = "the order pass";
        std::vector<std::string> files{};  ///< of findings, saved during the search
        lock_pair_list lock_pairs{};       ///< that the searches have shown
    };

    /// Ends a search when its time is over, or when the user asks for it. Saves what is found
    /// meanwhile.
    class search_watch {
    public:
        search_watch(clock::time_point end, progress_line& line, early_findings::saver save)
            : end_(end), early_(line, std::move(save)) {}
        search_watch(const search_watch&) = delete;
        search_watch& operator=(const search_watch&) = delete;

        void add_to(explore_options& options) {
            options.stop = &stop_;
            options.on_progress = [](const outcome& so_far, void* self) {
                search_watch& mine = *static_cast<search_watch*>(self);
                mine.early_.see(so_far);
                if (is_over(mine.end_)) mine.stop_ = true;
            };
            options.progress_data = this;
        }
        std::vector<std::string> files() const { return early_.files(); }

    private:
        const clock::time_point end_;
        early_findings early_;
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
            const step_watchdog watched(
                std::chrono::seconds(patience_), ends_process(call, [&](const outcome& so_far) {
                    call.print("== " + workload.name + ": finding\n\n" + text_of(so_far) + "\n");
                }));
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
        if (as_json_) {
            print_json(call, workload, caught, is_open ? "interrupted" : name_of(what),
                       is_expected);
            return is_expected;
        }
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
        const scenario::document all = read_scenario(call, name(), file, as_json_);
        searched_scenario caught;
        {
            progress_line progress(call.err, file);
            caught = search(all, file, end, progress);
        }
        scenario::check_result& result = caught.result;
        allowed_.judge(all, result, file);
        if (interrupt_scope::requested.load() && !is_settled(result)) {
            ++open_;
            result.is_met = false;
            if (as_json_) print_json(call, all, file, caught, "interrupted");
            say(call, file + ": interrupted, " + result.what +
                          " so far; expected: " + joined(result.expected) + "\n");
            return false;
        }
        if (as_json_) {
            print_json(call, all, file, caught, result.what);
            return result.is_met;
        }
        call.print(file + ": " + result.what +
                   (result.is_allowed ? ", which is allowed\n"
                    : result.is_met   ? ", as expected\n"
                                      : "; expected: " + joined(result.expected) + "\n"));
        if (!is_only && result.is_met) {
            remove_others(caught.files, {});
            return true;
        }
        call.print("\n  engines  " + caught.engines + "\n           " +
                   report::summary_of(result.found) + "\n\n");
        const report::findings_by_cause grouped(result.found.findings);
        call.print(grouped.lead());
        std::vector<std::string> schedules;
        for (const std::size_t i : grouped.order()) {
            call.print(grouped.heading(i));
            finding found = result.found.findings[i];
            scenario::name_locks(found, result.titles);
            const std::string schedule = save(all, file, found);
            report(call, found, path_of(file, found), schedule, "");
            schedules.push_back(schedule);
        }
        remove_others(caught.files, schedules);
        return result.is_met;
    }

    searched_scenario search(const scenario::document& all, const std::string& file,
                             clock::time_point end, progress_line& progress) const {
        searched_scenario so_far;
        scenario::check_options options = check_defaults();
        options.explore.executions_max = executions_max_;
        options.explore.steps_all_max = ~std::uint64_t{0};  // the time ends the search
        options.explore.seed = seed_;
        options.under = under_;
        const auto run = [&](const char* engine, clock::time_point engine_end) {
            progress.begin_phase(engine);
            search_watch watch(engine_end, progress, [&](const finding& each) {
                return save_schedule(file, path_of(file, each), each);
            });
            watch.add_to(options.explore);
            scenario::check_result result = scenario::check(all, options);
            so_far.engines += std::string(", ") + engine + ": " +
                              report::counted(result.found.executions, "execution");
            so_far.lock_pairs.add(result.found.lock_pairs);
            const bool is_worse = result.found.what < so_far.result.found.what;
            if (so_far.result.what.empty() || is_worse || result.found.exhausted)
                so_far.result = std::move(result);
            for (std::string& each : watch.files()) so_far.files.push_back(std::move(each));
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
              quarry& caught) {
        progress.begin_phase("fuzzing");
        fuzz_group group({workload.fuzzing()});
        fuzz_engine engine(group, seed_);
        outcome so_far;
        while (!caught.found && !is_over(end)) {
            std::optional<fuzz_sighting> shown = engine.step();
            if (shown &&
                allowed_.allows_any({shown->signature, shown->what.signature}, workload.name))
                group.pass_over(*shown);
            else if (shown)
                caught.found = std::move(shown->what);
            so_far.executions = engine.executions();
            progress_line::on(so_far, &progress);
        }
        caught.programs = engine.executions();
        group.for_each_lock_pairs(
            [&](std::size_t, const std::vector<dependency>& seen) { caught.lock_pairs.add(seen); });
        caught.engine = "fuzz: " + report::counted(engine.executions(), "program");
    }

    void explore(const workload_entry& workload, clock::time_point end, progress_line& progress,
                 quarry& caught) {
        const auto path_of = [&](const finding& each) {
            return finding_path(folder_, workload.name, each) + ".schedule";
        };
        search_watch watch(end, progress, [&](const finding& each) {
            write_text(path_of(each), to_string(each.best));
            return path_of(each);
        });
        explore_options options{.seed = seed_};
        watch.add_to(options);
        std::size_t exhausted = 0;
        std::vector<program> all = pairs_of(workload);
        const std::size_t pairs = all.size();
        all.push_back(workload.usual);
        for (const program& calls : all) {
            if (caught.found || is_over(end)) break;
            progress.begin_phase("exploring " + to_string(calls));
            options.executions_max = &calls == &all.back() ? executions_max_ : pair_executions_max;
            caught.explored = workload.explore(calls, options);
            caught.lock_pairs.add(caught.explored.lock_pairs);
            if (caught.explored.exhausted && &calls != &all.back()) ++exhausted;
            allowed_.mark(caught.explored.findings, workload.name);
            for (const finding& each : caught.explored.findings)
                if (each.judged != verdict::refuted && !caught.found && !each.is_allowed)
                    caught.found = each;
        }
        std::vector<std::string> kept;
        if (caught.found) kept.push_back(path_of(*caught.found));
        remove_others(watch.files(), kept);
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
        const finding_record saved = save(call, workload, found);
        std::string notes = "  engine    " + caught.engine + "\n";
        if (!saved.schedule.empty() && found.is_stuck())
            notes += "  scenario  " + (saved.scenario.empty() ? scenario::unsaid : saved.scenario) +
                     "\n";
        report(call, found, finding_path(folder_, workload.name, found), saved.schedule, notes);
    }

    /// Saves the files of a finding in a workload, and names them.
    finding_record save(const invocation& call, const workload_entry& workload,
                        const finding& found) const {
        const std::string stem = finding_path(folder_, workload.name, found);
        finding_record saved{.command = "hunt", .subject = workload.name, .what = found};
        if (workload.expected) saved.expected = name_of(*workload.expected);
        if (!found.best.decisions.empty()) {
            saved.schedule = stem + ".schedule";
            saved.replay = call.replay_line(saved.schedule);
            write_text(saved.schedule, to_string(found.best));
            if (found.is_stuck()) saved.scenario = save_scenario(workload, found, stem + ".wedge");
            saved.steps = timeline_of(workload, found);
        }
        save_record(stem, saved);
        return saved;
    }

    /// Returns the path of the files of a finding in a scenario, without what they end in.
    std::string path_of(const std::string& file, const finding& found) const {
        return finding_path(folder_, stem_of_(file), found);
    }

    /// Saves the files of a finding in a scenario. @return the schedule's file; empty: none
    std::string save(const scenario::document& all, const std::string& file,
                     const finding& found) const {
        finding_record saved{
            .command = "hunt", .subject = file, .is_scenario = true, .what = found};
        const std::string path = path_of(file, found);
        saved.schedule = save_schedule(file, path, found);
        saved.scenario = file;
        saved.steps = timeline_of(all, under_, found);
        save_record(path, saved);
        return saved.schedule;
    }

    /// Prints a line for people.
    void say(const invocation& call, const std::string& text) const {
        if (!as_json_) call.print(text);
    }

    /// Prints the result of a workload as one JSON object, and saves its finding.
    void print_json(const invocation& call, const workload_entry& workload, const quarry& caught,
                    const std::string& what, bool is_met) const {
        json_writer json;
        report::begin_json(json, "hunt").key("workload").value(workload.name);
        json.key("program").value(caught.found ? caught.found->best.program : "");
        json.key("outcome").value(what).key("findings").begin('[');
        if (caught.found)
            report::begin_finding(json, *caught.found, save(call, workload, *caught.found).schedule,
                                  true, 1)
                .end('}');
        json.end(']').key("exploration").begin('{');
        json.key("executions").value(caught.programs + caught.explored.executions);
        report::write_exhausted(json, caught.explored).end('}');
        json.key("expected").begin('[');
        if (workload.expected) json.value(name_of(*workload.expected));
        json.end(']').key("met").value(is_met);
        report::write_lock_pairs(json, caught.lock_pairs.all());
        call.print(json.end('}').text() + "\n");
    }
    /// As above, of a scenario.
    void print_json(const invocation& call, const scenario::document& all, const std::string& file,
                    const searched_scenario& caught, const std::string& what) const {
        json_writer json;
        const outcome& found = caught.result.found;
        report::begin_json(json, "hunt").key("file").value(file).key("outcome").value(what);
        json.key("findings").begin('[');
        const report::findings_by_cause grouped(found.findings);
        std::vector<std::string> schedules;
        for (std::size_t i = 0; i < found.findings.size(); ++i) {
            finding named = found.findings[i];
            scenario::name_locks(named, caught.result.titles);
            // The findings of a scenario that meets what it expects are no news, nor is what an
            // interrupted search has not judged.
            const bool is_news = !caught.result.is_met &&
                                 (what != "interrupted" || named.judged != verdict::unresolved);
            schedules.push_back(is_news ? save(all, file, named) : "");
            report::begin_finding(json, named, schedules.back(), true, grouped.cause_of(i))
                .end('}');
        }
        remove_others(caught.files, schedules);
        json.end(']').key("exploration").begin('{');
        json.key("executions").value(found.executions);
        report::write_exhausted(json, found).end('}');
        json.key("expected").list(caught.result.expected);
        json.key("met").value(caught.result.is_met);
        report::write_lock_pairs(json, caught.lock_pairs.all(), &caught.result.lock_pairs,
                                 &scenario::written_class);
        call.print(json.end('}').text() + "\n");
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

    /// @return the file; empty: a scenario cannot say it
    static std::string save_scenario(const workload_entry& workload, const finding& found,
                                     const std::string& path) {
        workload_subject what(*workload.fuzzing().type, parse_program(found.best.program));
        const std::string text =
            scenario::scenario_of(what, found,
                                  "# A deadlock that `wedge hunt` found in " + workload.name +
                                      ":\n# " + found.best.program + "\n");
        if (text.empty()) return {};
        write_text(path, text);
        return path;
    }

    allowed_findings allowed_;
    std::vector<std::string> wanted_;
    std::uint64_t seconds_ = 60;
    std::uint64_t executions_max_ = 1'000'000'000;  // the time ends the search before
    std::uint64_t seed_ = 1;
    std::uint32_t patience_ = stall_seconds;
    pressure under_{};
    std::string folder_ = "findings";
    file_stems stem_of_;
    bool as_json_ = false;
    std::size_t open_ = 0;  // targets without a verdict, because the user has ended the search
};

}  // namespace wedge
