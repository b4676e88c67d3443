// `explore`: tries the interleavings of workloads and scenarios, and reports and saves findings.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/schedule_text.hpp"
#include "wedge/core/signature.hpp"
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
#include "wedge/report/dot.hpp"
#include "wedge/report/json.hpp"
#include "wedge/report/text.hpp"
#include "wedge/scenario/explore.hpp"

namespace wedge {

class explore_command final : public subcommand {
public:
    const char* name() const override { return "explore"; }
    const char* purpose() const override {
        return "Try the interleavings of workloads or of a scenario; report and save what is found";
    }

    void add_options(CLI::App& options) override {
        options
            .add_option("TARGET", wanted_,
                        "The workload to explore, or the file of a scenario (default: all "
                        "workloads)")
            ->type_name("");
        options
            .add_option("--program", program_,
                        "Who calls what: tasks apart by |, calls by commas, as 'fault | evict(3)'")
            ->type_name("TEXT");
        add_pressure(options, under_);
        add_choice(options, "--strategy", options_.how, strategy_names, "How to search");
        add_number(options, "--seed", options_.seed, 0, "The seed of the random strategies");
        add_number(options, "--executions", options_.executions_max, 1, "The budget");
        add_number(options, "--states-max", options_.states_max, 1,
                   "The bound of states that a search over states keeps");
        add_number(options, "--steps", options_.steps_max, 1, "The bound of one execution");
        add_number(options, "--depth", options_.depth, 1, "How many steps PCT orders");
        add_number(options, "--preemptions", options_.preemptions_max, 0,
                   "The bound of the exhaustive search");
        add_number(options, "--jobs", options_.jobs, 1, "How many threads search");
        add_choice(options, "--substrate", options_.on, substrate_names, "What carries the tasks");
        add_flag(options, "--all-policies", options_.all_policies,
                 "Try all policies of readers-writer locks: readers first, writers first, in turn");
        add_number(options, "--watchdog", patience_, 0,
                   "Report a task that comes to no step for so many seconds, and end; 0: never");
        add_out(options, folder_, "DIR", "Where schedules are saved (default: here)");
        allowed_.add_to(options);
        add_flag(options, "--json", as_json_, "Print one JSON object per target");
        add_flag(options, "--dot", with_dot_, "Save a digraph of each finding");
        add_flag(options, "--picture", with_picture_, "Save a digraph and an SVG of each finding");
    }

    int run(const invocation& call) override {
        std::uint64_t unread = 0;
        const std::vector<std::string> words(wanted_.empty() ? 0 : 1, wanted_);
        const std::vector<target> chosen = targets_of(call, words, unread);
        stem_of_ = stems_of(chosen);
        if (!program_.empty() && (chosen.size() != 1 || chosen.front().workload == nullptr))
            throw error("--program: say for which workload (" + joined(call.workload_names()) +
                        "); a scenario has its own");
        allowed_.read();
        if (!folder_.empty()) make_folder(folder_);
        const interrupt_scope interrupted;
        bool is_clean = true;
        std::size_t left = chosen.size();
        for (const target& each : chosen) {
            const auto explore_one = [&] {
                if (!(each.workload ? explore(call, *each.workload) : explore(call, each.file)))
                    is_clean = false;
            };
            if (chosen.size() == 1)
                explore_one();
            else if (!call.guarded(explore_one))
                ++unread;
            std::fflush(call.out);
            --left;
            if (interrupt_scope::requested.load()) {
                if (is_exhausted_ && left == 0) break;  // the request came when all was done
                std::fprintf(call.err, "%s: interrupted, stopped early\n", each.name().c_str());
                break;
            }
        }
        allowed_.report(call, left == 0 && !interrupt_scope::requested.load());
        if (unread != 0) return exit_status::misuse;
        const bool is_open = interrupt_scope::requested.load() && (left != 0 || !is_proved_);
        return exit_status::of(is_clean, is_open);
    }

private:
    /// What was explored, and the names of its files.
    struct explored {
        std::string name;
        std::string program;
        std::string scenario;  ///< the scenario's file; empty: a workload
        outcome all;
        std::string expected{};  ///< the result that a workload states
        /// What the tasks did in the execution of a finding.
        std::function<timeline(const finding&)> steps_of{};
    };

    /// @return whether no finding stands
    bool explore(const invocation& call, const workload_entry& workload) {
        const program calls = program_.empty() ? workload.usual : parsed(workload);
        explored what{workload.name, to_string(calls), {}, {}};
        if (workload.expected) what.expected = name_of(*workload.expected);
        what.steps_of = [&](const finding& each) { return timeline_of(workload, each); };
        const step_watchdog watched(std::chrono::seconds(patience_),
                                    ends_process(call, [&](const outcome& so_far) {
                                        what.all = so_far;
                                        report(call, what);
                                    }));
        return search(call, what, [&](const explore_options& options) {
            return workload.explore(calls, options);
        });
    }
    bool explore(const invocation& call, const std::string& file) {
        const scenario::document all = read_scenario(call, name(), file, as_json_);
        explored what{file, scenario::program_word(under_), file, {}};
        what.steps_of = [&](const finding& each) { return timeline_of(all, under_, each); };
        return search(call, what, [&](const explore_options& options) {
            return scenario::explore(all, options, under_);
        });
    }

    /// Searches, saves what is found as soon as it is known, and reports.
    ///
    /// @return whether no finding stands
    template <class Explore>
    bool search(const invocation& call, explored& what, Explore explore) {
        std::vector<std::string> files;
        {
            progress_line progress(call.err, what.name);
            early_findings early(progress,
                                 [&](const finding& each) { return save(what, each, false); });
            explore_options options = options_;
            options.stop = &interrupt_scope::requested;
            early.add_to(options);
            what.all = explore(options);
            files = early.files();
        }
        allowed_.mark(what.all.findings, what.name);
        return report(call, what, files);
    }

    /// Saves, then prints. The report is printed even if a file cannot be written.
    ///
    /// @return whether no finding stands
    bool report(const invocation& call, const explored& what,
                const std::vector<std::string>& early_files = {}) {
        const outcome& all = what.all;
        is_proved_ = all.what == result::sound;
        is_exhausted_ = all.exhausted;
        json_context context{what.name, what.program, {}};
        std::vector<std::string> replays;
        std::string notes;
        std::optional<error> unsaved;
        for (const finding& found : all.findings) {
            std::string file;
            try {
                file = save(what, found, true);
                if (with_dot_ || with_picture_) notes += "picture: " + picture(what, found) + "\n";
            } catch (const error& failed) {
                unsaved = failed;
            }
            replays.push_back(file.empty() ? "" : call.replay_line(file));
            context.schedules.push_back(std::move(file));
        }
        remove_others(early_files, context.schedules);
        const std::string title =
            what.program.empty() ? what.name : what.name + ": " + what.program;
        if (as_json_)
            call.print(json_of(all, context));
        else
            call.print(title + "\n\n" + text_of(all, replays) + notes + "\n");
        if (unsaved) throw error(*unsaved);
        std::size_t standing = 0;
        for (const finding& each : all.findings)
            if (each.judged != verdict::refuted && !each.is_allowed) ++standing;
        return all.what == result::sound || all.what == result::unresolved || standing == 0;
    }

    /// Parses a program. Its messages begin with `program:`; the name of the option is close to
    /// that.
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

    /// Saves the schedule, and with --out the record of the finding.
    ///
    /// @param is_final  false: the search goes on, so nothing may be replayed now
    /// @return the schedule's file; nothing if the finding has no schedule
    std::string save(const explored& what, const finding& found, bool is_final) const {
        const std::string stem = path_of(what, found);
        std::string file;
        if (!what.scenario.empty()) {
            file = save_schedule(what.scenario, stem, found);
        } else if (found.best != schedule{}) {
            file = stem + ".schedule";
            write_text(file, to_string(found.best));
        }
        if (folder_.empty()) return file;
        finding_record record{.command = "explore",
                              .subject = what.name,
                              .is_scenario = !what.scenario.empty(),
                              .what = found};
        record.expected = what.expected;
        record.schedule = file;
        if (is_final) record.steps = what.steps_of(found);
        save_record(stem, record);
        return file;
    }

    /// Returns the path of the files of a finding, without what they end in.
    std::string path_of(const explored& what, const finding& found) const {
        return finding_path(folder_, what.scenario.empty() ? what.name : stem_of_(what.scenario),
                            found);
    }

    std::string picture(const explored& what, const finding& found) const {
        const std::string path = path_of(what, found);
        if (with_picture_) return save_picture(path, dot_of(found));
        write_text(path + ".dot", dot_of(found));
        return path + ".dot";
    }

    explore_options options_;
    allowed_findings allowed_;
    std::uint32_t patience_ = stall_seconds;
    std::string wanted_;
    std::string program_;
    std::string folder_;
    file_stems stem_of_;
    pressure under_{};
    bool is_proved_ = false;     // the last target
    bool is_exhausted_ = false;  // likewise: everything was tried
    bool as_json_ = false;
    bool with_dot_ = false;
    bool with_picture_ = false;
};

}  // namespace wedge
