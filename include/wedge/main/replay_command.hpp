// `replay`: repeats a saved execution and says whether it shows its finding again.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "wedge/core/schedule_text.hpp"
#include "wedge/main/files.hpp"
#include "wedge/main/scenario_files.hpp"
#include "wedge/main/stall_report.hpp"
#include "wedge/main/subcommand.hpp"
#include "wedge/report/json.hpp"
#include "wedge/report/text.hpp"
#include "wedge/scenario/explore.hpp"

namespace wedge {

class replay_command final : public subcommand {
public:
    const char* name() const override { return "replay"; }
    const char* purpose() const override {
        return "Repeat a saved schedule; exit status 1 if it shows its finding again";
    }
    void add_options(CLI::App& options) override {
        options.add_option("FILE", file_, "The schedule, as explore, check or hunt saved it")
            ->required()
            ->type_name("");
        add_flag(options, "--lenient", is_lenient_,
                 "Skip what does not fit any more, instead of giving up there");
        add_number(options, "--watchdog", patience_, 0,
                   "Report a task that comes to no step for so many seconds, and end; 0: never");
        add_flag(options, "--json", as_json_, "Print one JSON object");
    }

    int run(const invocation& call) override {
        const schedule along = parse_schedule(read_text(file_), file_);
        const std::string scenario = scenario_of(call, along);
        const step_watchdog watched(std::chrono::seconds(patience_),
                                    ends_process(call, [&](outcome so_far) {
                                        const bool is_there = put_own_first(so_far, along);
                                        call.print(text(call, so_far, is_there));
                                    }));
        outcome all =
            scenario.empty() ? replay(find(call, along), along) : replay_scenario(scenario, along);
        if (!is_lenient_ && !all.diverged.empty())
            fail("the program does not follow the schedule any more: " + all.diverged +
                 "; --lenient skips what does not fit");
        const bool is_again = put_own_first(all, along);
        const std::vector<std::string> files(all.findings.size(), file_);
        if (as_json_)
            call.print(json_of(all, {along.workload, along.program, files, true, is_again}));
        else
            call.print(text(call, all, is_again));
        const bool is_seen = std::any_of(
            all.findings.begin(), all.findings.end(),
            [&](const finding& found) { return is_own(found, along) || has_happened(found); });
        return is_seen ? exit_status::findings : exit_status::clean;
    }

private:
    /// Returns whether this is the finding that the schedule was saved for. Any finding, if the
    /// schedule names none.
    static bool is_own(const finding& found, const schedule& along) {
        return along.signature.empty() || found.signature == along.signature;
    }
    /// @return whether the schedule's own finding has happened; then it is the first one
    static bool put_own_first(outcome& all, const schedule& along) {
        const auto happened = [&](const finding& found) {
            return is_own(found, along) && has_happened(found);
        };
        std::stable_partition(all.findings.begin(), all.findings.end(), happened);
        return !all.findings.empty() && happened(all.findings.front());
    }

    [[noreturn]] void fail(const std::string& why) const { throw error(file_ + ": " + why); }

    const workload_entry& find(const invocation& call, const schedule& along) const {
        const std::string subject =
            along.workload.empty() ? "no workload" : "workload " + along.workload;
        if (call.workloads.empty())
            fail("is of " + subject +
                 ", this program has none; the program that found a schedule "
                 "replays it");
        const std::vector<std::string> names = call.workload_names();
        for (const workload_entry& each : call.workloads) {
            if (each.name != along.workload) continue;
            if (each.fingerprint != along.fingerprint && !is_lenient_)
                fail("was recorded when workload " + each.name +
                     " had other actions (fingerprint " + to_hex(along.fingerprint) + ", now " +
                     to_hex(each.fingerprint) + "); --lenient replays what still fits");
            return each;
        }
        fail("is of " + subject + suggestion(along.workload, names) + "; this program has " +
             joined(names) + "; the program that found a schedule replays it");
    }

    /// Returns the file of a schedule's scenario, seen from the schedule's directory or from here;
    /// empty if it belongs to a workload.
    std::string scenario_of(const invocation& call, const schedule& along) const {
        namespace fs = std::filesystem;
        const std::vector<std::string> workloads = call.workload_names();
        if (along.workload.empty() ||
            std::find(workloads.begin(), workloads.end(), along.workload) != workloads.end())
            return {};
        const std::string named = scenario::path_of_word(along.workload);
        const fs::path beside = fs::path(file_).parent_path() / named;
        std::error_code failed;
        for (const std::string& path : {beside.string(), named})
            if (fs::is_regular_file(path, failed)) return path;
        if (named.ends_with(".wedge"))
            fail("is of scenario " + named + ", which is neither beside it nor here");
        return {};
    }
    outcome replay_scenario(const std::string& path, const schedule& along) const {
        const scenario::document all = read_scenario(path);
        if (scenario::fingerprint_of(all) != along.fingerprint && !is_lenient_)
            fail("was recorded when " + path +
                 " said something else; --lenient replays what "
                 "still fits");
        return scenario::replay(all, along,
                                is_lenient_ ? replay_mode::lenient : replay_mode::strict);
    }

    /// Errors in the schedule's program are found here, and reported with the schedule's file.
    outcome replay(const workload_entry& workload, const schedule& along) const {
        try {
            return workload.replay(along, is_lenient_ ? replay_mode::lenient : replay_mode::strict,
                                   {});
        } catch (const error& wrong) {
            fail(wrong.what());
        }
    }

    static bool has_happened(const finding& found) {
        return found.judged == verdict::confirmed || found.judged == verdict::observed;
    }

    /// Returns the schedule's own finding as explore printed it, a line for each other finding, and
    /// the result of the replay. One execution judges no order, so orders get no verdict here.
    std::string text(const invocation& call, const outcome& all, bool is_again) const {
        std::string text;
        for (std::size_t i = 0; i < all.findings.size(); ++i) {
            const finding& found = all.findings[i];
            if (i == 0 && is_again)
                text += text_of(found, call.replay_line(file_)) + "\n";
            else
                text += (has_happened(found) ? "also in this execution: "
                                             : "also in this execution, not judged: ") +
                        report::heading_of(found) + "\n";
        }
        text += is_again ? "reproduced" : "not reproduced";
        text += " in " + report::counted(all.steps, "step");
        if (!is_again && !all.findings.empty()) text += ", but see above";
        text += "\n";
        if (!all.diverged.empty()) text += "diverged: " + all.diverged + "\n";
        return text;
    }

    std::string file_;
    std::uint32_t patience_ = stall_seconds;
    bool is_lenient_ = false;
    bool as_json_ = false;
};

}  // namespace wedge
