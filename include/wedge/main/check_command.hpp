// `check`: runs the order pass and the exploration of scenarios, and compares with expectations.
#pragma once

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "wedge/core/schedule_text.hpp"
#include "wedge/main/allowed.hpp"
#include "wedge/main/check_trace.hpp"
#include "wedge/main/early_findings.hpp"
#include "wedge/main/finding_files.hpp"
#include "wedge/main/interrupt.hpp"
#include "wedge/main/progress.hpp"
#include "wedge/main/scenario_files.hpp"
#include "wedge/main/subcommand.hpp"
#include "wedge/report/json.hpp"
#include "wedge/report/text.hpp"
#include "wedge/scenario/certificate.hpp"
#include "wedge/scenario/check.hpp"
#include "wedge/scenario/uses.hpp"

namespace wedge {

class check_command final : public subcommand {
public:
    const char* name() const override { return "check"; }
    const char* purpose() const override {
        return "Check scenarios: their lock order and all interleavings, against what they expect";
    }

    void add_options(CLI::App& options) override {
        options
            .add_option(
                "FILE", paths_,
                "Scenarios, and directories in which all *.wedge are checked. The findings of "
                "a scenario are shown if it is the only one or does not meet what it "
                "expects")
            ->type_name("");
        options
            .add_option("--trace", traces_,
                        "Check the lock order of a trace of `wedge run --record` or `stress "
                        "--record` instead; may be given several times")
            ->type_name("FILE")
            ->allow_extra_args(false);
        options
            .add_option("--stated", stated_,
                        "With --trace: a source or a list of thread-safety attributes "
                        "ACQUIRED_BEFORE and ACQUIRED_AFTER, which state an order")
            ->type_name("FILE")
            ->allow_extra_args(false);
        add_flag(options, "--json", as_json_, "Print one JSON object per scenario");
        add_flag(options, "--order-only", options_.is_order_only, "Do not explore");
        add_pressure(options, options_.under);
        explore_options& how = options_.explore;
        add_number(options, "--executions", how.executions_max, 1, "The budget of a scenario");
        add_number(options, "--states-max", how.states_max, 1,
                   "The bound of states that a search over states keeps");
        add_number(options, "--seed", how.seed, 0, "The seed of the random strategies");
        add_out(options, folder_, "DIR",
                "Where schedules are saved (default: nowhere, they are printed)");
        allowed_.add_to(options);
        options
            .add_option("--certificate", certificate_,
                        "Write a certificate of the outcome, which `verify` checks without the "
                        "engine; of one scenario")
            ->type_name("FILE");
    }

    int run(const invocation& call) override {
        if (paths_.empty() && traces_.empty())
            throw error("check: FILE or --trace FILE is required; see " +
                        shell_quoted(call.program) + " check --help");
        if (!paths_.empty() && !traces_.empty())
            throw error("--trace: it is checked by itself, without FILE");
        if (!stated_.empty() && traces_.empty()) throw error("--stated: it is for --trace FILE");
        allowed_.read();
        if (!folder_.empty()) make_folder(folder_);
        if (!traces_.empty()) return run_traces(call);
        const std::vector<std::string> files = scenario_files(call, paths_, unread_);
        if (!folder_.empty()) stem_of_ = file_stems(files);
        if (!certificate_.empty() && files.size() != 1)
            throw error("--certificate: it is of one scenario, here are " +
                        std::to_string(files.size()));
        if (!certificate_.empty() && (options_.is_order_only || options_.under.fail_allocations))
            throw error(
                "--certificate: it is of a whole check, without --order-only or --pressure");
        const interrupt_scope interrupted;
        std::uint64_t left = files.size();
        for (const std::string& file : files) {
            if (interrupt_scope::requested.load()) break;
            if (!call.guarded([&] { check(call, file, files.size() == 1); })) ++unread_;
            std::fflush(call.out);
            --left;
        }
        if (!as_json_ && files.size() > 1) call.print(summary());
        allowed_.report(call, !interrupt_scope::requested.load() && unread_ == 0);
        // The request may have come when everything was checked.
        if (interrupt_scope::requested.load() && (left != 0 || is_cut_))
            call.complain("stopped early: " +
                          (left == 0 ? "" : report::counted(left, "scenario") + " not checked") +
                          (left != 0 && is_cut_ ? ", and " : "") +
                          (is_cut_ ? "the last one not to its end" : ""));
        if (unread_ != 0) return exit_status::misuse;
        return exit_status::of(unmet_ == 0 && !is_uncertified_, left + interrupted_ != 0);
    }

private:
    int run_traces(const invocation& call) {
        if (!certificate_.empty())
            throw error("--certificate: it is of a scenario, not of a trace");
        if (!folder_.empty()) stem_of_ = file_stems(traces_);
        for (const std::string& file : traces_)
            if (!call.guarded([&] { check_trace(call, file); })) ++unread_;
        allowed_.report(call, unread_ == 0);
        return unread_ != 0 ? exit_status::misuse : exit_status::of(unmet_ == 0, false);
    }

    void check_trace(const invocation& call, const std::string& file) {
        call.reading(name(), file, as_json_, [&] {
            checked_trace all(file, stated_);
            allowed_.mark(all.findings(), file);
            if (!all.is_met()) ++unmet_;
            call.print(as_json_ ? all.json() : all.text());
            if (!folder_.empty()) all.save(folder_, stem_of_(file));
        });
    }

    void check(const invocation& call, const std::string& file, bool is_only) {
        const scenario::document what = read_scenario(call, name(), file, as_json_);
        scenario::check_result result;
        std::vector<std::string> early_files;
        {
            progress_line progress(call.err, file);
            early_findings early(progress, [&](const finding& each) {
                return folder_.empty() ? "" : save_schedule(file, path_of(file, each), each);
            });
            scenario::check_options options = options_;
            options.explore.stop = &interrupt_scope::requested;
            early.add_to(options.explore);
            result = scenario::check(what, options);
            early_files = early.files();
        }
        allowed_.judge(what, result, file);
        is_cut_ =
            interrupt_scope::requested.load() && !result.found.exhausted && !options_.is_order_only;
        // A search that did not end says nothing yet, except about what was found.
        const bool is_open =
            interrupt_scope::requested.load() && !result.found.exhausted &&
            result.found.what >= wedge::result::finding &&
            std::none_of(result.found.findings.begin(), result.found.findings.end(),
                         [](const finding& each) { return each.judged == verdict::observed; });
        if (is_open) {
            result.what = "interrupted";
            result.is_met = false;
        }
        ++(is_open ? interrupted_ : result.is_met ? met_ : unmet_);
        if (!certificate_.empty() && !is_open) certify(call, file, what, result);
        std::vector<std::string> schedules;
        std::string unsaved;
        for (const finding& found : result.found.findings) {
            schedules.emplace_back();
            try {
                schedules.back() = schedule_of(file, found);
                const bool is_judged = !is_open || found.judged != verdict::unresolved;
                if (!folder_.empty() && is_judged)
                    record(what, file, result, found, schedules.back());
            } catch (const error& failed) {
                unsaved = failed.what();
            }
        }
        remove_others(early_files, schedules);
        if (as_json_)
            call.print(json_of(file, result, schedules));
        else
            call.print(text(call, file, result, schedules, is_only || !result.is_met));
        if (!unsaved.empty()) throw error(unsaved);
    }

    /// Writes the certificate of an outcome. Without one the status is that of findings.
    void certify(const invocation& call, const std::string& file, const scenario::document& what,
                 const scenario::check_result& result) {
        try {
            const std::string text = read_text(file, scenario_size_max);
            write_text(certificate_, scenario::certificate_of(what, text, result));
        } catch (const scenario::no_certificate& why) {
            call.complain(file + ": " + why.what());
            is_uncertified_ = true;
        }
    }

    /// Returns the file of a finding's schedule; without --out its text; empty if it has none.
    std::string schedule_of(const std::string& file, const finding& found) const {
        if (!folder_.empty()) return save_schedule(file, path_of(file, found), found);
        return found.best.decisions.empty() ? "" : to_string(found.best);
    }

    /// Saves what explains and repeats a finding beside its schedule.
    void record(const scenario::document& all, const std::string& file,
                const scenario::check_result& result, const finding& found,
                const std::string& schedule) const {
        finding_record made{
            .command = "check", .subject = file, .is_scenario = true, .what = found};
        if (result.is_met) made.expected = joined(result.expected);
        made.schedule = schedule;
        made.scenario = file;
        made.steps = timeline_of(all, options_.under, found);
        save_record(path_of(file, found), made);
    }

    /// Returns the path of the files of a finding, without what they end in.
    std::string path_of(const std::string& file, const finding& found) const {
        return finding_path(folder_, stem_of_(file), found);
    }

    std::string text(const invocation& call, const std::string& file,
                     const scenario::check_result& result,
                     const std::vector<std::string>& schedules, bool is_full) const {
        std::string text = file + ": " + result.what;
        text += result.is_allowed ? ", which is allowed\n"
                : result.is_met   ? ", as expected\n"
                                  : "; expected: " + joined(result.expected) + "\n";
        if (!is_full) return text;
        const report::findings_by_cause grouped(result.found.findings);
        text += "\n" + grouped.lead();
        for (const std::size_t i : grouped.order()) {
            text += grouped.heading(i);
            finding shown = result.found.findings[i];
            scenario::name_locks(shown, result.titles);
            const bool is_saved = !folder_.empty() && !schedules[i].empty();
            text += text_of(shown, is_saved ? call.replay_line(schedules[i]) : "");
            if (!is_saved && !schedules[i].empty()) text += indented(schedules[i]);
            text += "\n";
        }
        if (options_.is_order_only)
            return text + result.what + ": " +
                   report::counted(result.found.findings.size(), "finding") +
                   " in the order pass; nothing was explored\n\n";
        return text + report::summary_of(result.found) + "\n\n";
    }

    static std::string indented(const std::string& schedule) {
        std::string text = "  schedule (--out DIR saves it for replay)\n    ";
        for (const char c : schedule) text += c == '\n' ? std::string("\n    ") : std::string(1, c);
        text.resize(text.size() - 4);
        return text;
    }

    std::string summary() const {
        std::string text = report::counted(met_ + unmet_ + interrupted_, "scenario") + ": " +
                           std::to_string(met_) + " as expected";
        if (unmet_ != 0) text += ", " + std::to_string(unmet_) + " not";
        if (interrupted_ != 0) text += ", " + std::to_string(interrupted_) + " interrupted";
        if (unread_ != 0) text += "; " + std::to_string(unread_) + " could not be read";
        return text + "\n";
    }

    std::string json_of(const std::string& file, const scenario::check_result& result,
                        const std::vector<std::string>& schedules) const {
        json_writer json;
        report::begin_json(json, "check").key("file").value(file);
        json.key("outcome").value(result.what);
        json.key("findings").begin('[');
        const report::findings_by_cause grouped(result.found.findings);
        for (std::size_t i = 0; i < result.found.findings.size(); ++i) {
            const finding& each = result.found.findings[i];
            json.begin('{').key("kind").value(wedge::name_of(each.kind));
            std::vector<std::string> classes = report::classes_of(each);
            for (std::string& name : classes) name = scenario::written_class(name);
            json.key("classes").list(classes).key("grade");
            report::write_grade(json, each.graded);
            json.key("hang");
            finding named = each;
            scenario::name_locks(named, result.titles);
            report::write_hang(json, named);
            json.key("verdict").value(wedge::name_of(each.judged)).key("schedule");
            if (schedules[i].empty())
                json.null();
            else
                json.value(schedules[i]);
            json.key("cause").value(std::uint64_t{grouped.cause_of(i)});
            json.key("what").value(report::what_of(each)).key("reason").value(each.reason);
            if (each.is_allowed) json.key("allowed").value(true);
            json.key("signature").value(each.signature).end('}');
        }
        json.end(']');
        report::write_exploration(json, result.found);
        json.key("expected").list(result.expected).key("met").value(result.is_met);
        if (!options_.is_order_only)  // then nothing has run
            report::write_lock_pairs(json, result.found.lock_pairs, &result.lock_pairs,
                                     &scenario::written_class);
        return json.end('}').text() + "\n";
    }

    scenario::check_options options_ = check_defaults();
    allowed_findings allowed_;
    std::vector<std::string> paths_;
    std::vector<std::string> traces_;
    std::vector<std::string> stated_;
    std::string folder_;
    file_stems stem_of_;
    std::string certificate_;
    bool is_uncertified_ = false;
    bool as_json_ = false;
    std::uint64_t met_ = 0;
    std::uint64_t unmet_ = 0;
    std::uint64_t unread_ = 0;
    std::uint64_t interrupted_ = 0;
    bool is_cut_ = false;  // the last scenario was not checked to its end
};

}  // namespace wedge
