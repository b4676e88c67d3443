// `replay`: repeats a saved execution and says whether it shows its finding again.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "wedge/event/schedule_text.hpp"
#include "wedge/main/files.hpp"
#include "wedge/main/scenario_files.hpp"
#include "wedge/main/subcommand.hpp"
#include "wedge/report/json.hpp"
#include "wedge/report/text.hpp"
#include "wedge/scenario/check.hpp"

namespace wedge {

class replay_command final : public subcommand {
public:
    const char* name() const override { return "replay"; }
    const char* purpose() const override {
        return "Repeat a saved schedule; exit status 1 if it shows its finding again";
    }
    void add_options(CLI::App& options) override {
        options.add_option("FILE", file_, "The schedule, as explore saved it")
            ->required()
            ->type_name("");
        options.add_flag("--lenient", is_lenient_,
                         "Skip what does not fit any more, instead of giving up there")
            ->disable_flag_override();
        options.add_flag("--json", as_json_, "Print one JSON object")->disable_flag_override();
    }

    int run(const invocation& call) override {
        const schedule along = parse_schedule(read_text(file_), file_);
        const bool is_scenario = along.workload.ends_with(".wedge");
        const outcome all =
            is_scenario ? replay_scenario(along) : replay(find(call, along), along);
        const bool is_again = std::any_of(
            all.findings.begin(), all.findings.end(), [&](const finding& found) {
                const bool happened =
                    found.judged == verdict::confirmed || found.judged == verdict::observed;
                return happened && (along.signature.empty() || found.signature == along.signature);
            });
        if (!is_lenient_ && !all.diverged.empty())
            fail("the program does not follow the schedule any more: " + all.diverged +
                 "; --lenient skips what does not fit");
        const std::vector<std::string> files(all.findings.size(), file_);
        if (as_json_)
            call.print(json_of(all, {along.workload, along.program, files, true, is_again}));
        else
            call.print(text(call, all, is_again));
        const bool is_clean = all.what == result::sound || all.what == result::unresolved;
        return is_clean && !is_again ? exit_status::clean : exit_status::findings;
    }

private:
    [[noreturn]] void fail(const std::string& why) const { throw error(file_ + ": " + why); }

    const workload_entry& find(const invocation& call, const schedule& along) const {
        const std::string subject =
            along.workload.empty() ? "no workload" : "workload " + along.workload;
        if (call.workloads.empty())
            fail("is of " + subject + ", this program has none; the program that found a schedule "
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

    /// A scenario's schedule names its file, as seen from the schedule's folder or from here.
    outcome replay_scenario(const schedule& along) const {
        namespace fs = std::filesystem;
        const std::string named = scenario::path_of_word(along.workload);
        const fs::path beside = fs::path(file_).parent_path() / named;
        std::error_code failed;
        const std::string path = fs::exists(beside, failed) ? beside.string() : named;
        if (!fs::exists(path, failed))
            fail("is of scenario " + named + ", which is neither beside it nor here");
        const scenario::document all = read_scenario(path);
        if (scenario::fingerprint_of(all) != along.fingerprint && !is_lenient_)
            fail("was recorded when " + path + " said something else; --lenient replays what "
                 "still fits");
        scenario::scenario_subject subject(all, scenario::pressure_of(along.program));
        outcome shown = session(subject, scenario::with_choices_of_scenarios({})).replay(
            along, is_lenient_ ? replay_mode::lenient : replay_mode::strict);
        for (finding& each : shown.findings) scenario::name_locks(each, subject.lock_titles());
        return shown;
    }

    /// Mistakes in the schedule's program are found here, and are those of the file.
    outcome replay(const workload_entry& workload, const schedule& along) const {
        try {
            return workload.replay(along,
                                   is_lenient_ ? replay_mode::lenient : replay_mode::strict, {});
        } catch (const error& wrong) {
            fail(wrong.what());
        }
    }

    /// The findings as explore printed them, then what became of the schedule.
    std::string text(const invocation& call, const outcome& all, bool is_again) const {
        std::string text;
        for (const finding& found : all.findings)
            text += text_of(found, call.replay_line(file_)) + "\n";
        text += is_again ? "reproduced" : "not reproduced";
        text += " in " + report::counted(all.steps, "step");
        if (!is_again && !all.findings.empty()) text += ", but see above";
        text += "\n";
        if (!all.diverged.empty()) text += "diverged: " + all.diverged + "\n";
        return text;
    }

    std::string file_;
    bool is_lenient_ = false;
    bool as_json_ = false;
};

}  // namespace wedge
