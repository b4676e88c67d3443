#include "explain/explain_command.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "wedge/main/files.hpp"
#include "wedge/main/interrupt.hpp"
#include "wedge/main/picture.hpp"
#include "wedge/report/json.hpp"
#include "wedge/report/words.hpp"

#include "explain/explain_traces.hpp"
#include "explain/reader.hpp"
#include "explain/say.hpp"
#include "explain/verdict.hpp"

namespace wedge::explain {

namespace {

/// A report and where it was found, the first time.
struct finding_of_text {
    report found;
    std::string file;
    std::vector<std::string> again;  ///< where the same report was found again
};

std::string place_of(const std::string& file, const report& found) {
    return (file == "-" ? "standard input" : file) + ":" + std::to_string(found.first_line);
}

class explain_command final : public subcommand {
public:
    const char* name() const override { return "explain"; }
    const char* purpose() const override {
        return "Read the reports about locks in logs and mails, and judge whether they are real";
    }

    void add_options(CLI::App& options) override {
        options
            .add_option(
                "FILE", files_,
                "Logs, mails or dumps with reports of Linux or of user-space checkers, or traces "
                "of locks as /proc/lockdep; - is the standard input")
            ->required()
            ->type_name("");
        add_flag(options, "--json", as_json_, "Print one JSON object per report");
        add_flag(options, "--no-verdict", is_read_only_, "Read only: no scenario, no verdict");
        add_out(options, out_, "FILE.wedge",
                "The scenario of the report, and beside it the schedule that hangs it; of further "
                "reports FILE-2.wedge and so on (default: nowhere)");
        options
            .add_option("--picture", picture_,
                        "The cycle as .svg, .png or .pdf, which Graphviz draws, or .dot")
            ->type_name("FILE");
        options
            .add_option("--order", traces_.what.order,
                        "Of traces: an order of classes as \"a -> b -> c\"; paths against it are "
                        "findings")
            ->type_name("ORDER");
        options
            .add_option("--around", traces_.what.around,
                        "Of traces: show what is before and behind a class")
            ->type_name("CLASS");
        add_number(options, "--depth", traces_.what.depth, 1, "With --around: how many steps");
        add_flag(options, "--compare", traces_.is_compare,
                 "Of two traces, the old one first: show what has changed");
    }

    int run(const invocation& call) override {
        if (!out_.empty() && !out_.ends_with(".wedge"))
            throw error("--out: " + out_ + ": a scenario ends in .wedge");
        if (!picture_.empty()) format_of(picture_);
        const interrupt_scope interrupted;
        bool has_findings = false;
        take_traces();
        if (!traces_.files.empty() && !call.guarded([&] { has_findings = explain_order(call); }))
            ++unread_;
        for (const std::string& file : files_) {
            if (interrupt_scope::requested.load()) break;
            const auto explain = [&] { return explain_file(call, file); };
            if (!call.guarded([&] {
                    has_findings = call.reading("explain", file, as_json_, explain) || has_findings;
                }))
                ++unread_;
            std::fflush(call.out);
        }
        if (unread_ != 0) return exit_status::misuse;
        return exit_status::of(!has_findings, interrupt_scope::requested.load());
    }

private:
    /// @throws error  no such format is drawn
    static std::string format_of(const std::string& file) {
        for (const char* const each : {"dot", "svg", "png", "pdf"})
            if (file.ends_with(std::string(".") + each)) return each;
        throw error("--picture: " + file + ": a picture ends in .svg, .png, .pdf or .dot");
    }

    /// The file of the n-th report: `x.wedge`, then `x-2.wedge`.
    static std::string numbered(const std::string& file, std::size_t number) {
        if (number < 2) return file;
        const std::size_t dot = file.rfind('.');
        return file.substr(0, dot) + "-" + std::to_string(number) + file.substr(dot);
    }

    /// Moves the traces out of the files. An option of traces says that all are.
    void take_traces() {
        const bool is_all =
            traces_.is_compare || !traces_.what.order.empty() || !traces_.what.around.empty();
        std::vector<std::string> others;
        for (std::string& file : files_)
            (is_all || is_trace_file(file) ? traces_.files : others).push_back(std::move(file));
        files_ = std::move(others);
    }

    /// Tells the order that the traces show together.
    ///
    /// @return whether something is wrong with it
    bool explain_order(const invocation& call) {
        traces_.as_json = as_json_;
        traces_.wants_dot = !picture_.empty();
        const bool has_findings = explain_traces(traces_, call.out) == exit_status::findings;
        if (traces_.wants_dot) save_picture_as(picture_, traces_.dot);
        return has_findings;
    }

    /// @return whether a report was found that is not refuted
    bool explain_file(const invocation& call, const std::string& file) {
        std::string input = read_text(file);
        if (file == "-" && kind_of_trace(input) != trace_kind::none) {
            traces_.files = {"-"};
            traces_.input = std::move(input);
            return explain_order(call);
        }
        const text_lines text(std::move(input));
        std::vector<finding_of_text> all;
        for (report& each : read_reports(text)) add(all, std::move(each), file);
        if (all.empty()) {
            if (as_json_)
                call.print(json_of(file, report(), judgement()));
            else
                call.print(file + ": no report about locks found\n");
            return false;
        }
        bool has_findings = false;
        for (const finding_of_text& each : all) {
            if (interrupt_scope::requested.load()) break;
            has_findings = explain(call, each) || has_findings;
        }
        return has_findings;
    }

    /// Adds a report, or counts it as one that is known: quoted again, or cut.
    void add(std::vector<finding_of_text>& all, report found, const std::string& file) {
        for (finding_of_text& known : all) {
            const bool is_same = signature_of(known.found) == signature_of(found);
            const bool is_part = known.found.kind == found.kind && known.found.task == found.task &&
                                 known.found.new_lock == found.new_lock &&
                                 known.found.held_lock == found.held_lock &&
                                 known.found.complete != found.complete;
            if (!is_same && !is_part) continue;
            if (found.complete && !known.found.complete) std::swap(known.found, found);
            known.again.push_back(place_of(file, found));
            return;
        }
        all.push_back({std::move(found), file, {}});
    }

    bool explain(const invocation& call, const finding_of_text& what) {
        ++count_;
        const std::string scenario_file = out_.empty() ? "" : numbered(out_, count_);
        const std::string path = out_.empty()
                                     ? "explained.wedge"
                                     : std::filesystem::path(scenario_file).filename().string();
        judgement judged;
        if (!is_read_only_) judged = judge(what.found, path, &interrupt_scope::requested);
        std::string schedule_file;
        if (!scenario_file.empty() && !judged.scenario.empty()) {
            write_text(scenario_file, judged.scenario);
            if (!judged.schedule.empty()) {
                schedule_file = scenario_file.substr(0, scenario_file.size() - 6) + ".schedule";
                write_text(schedule_file, judged.schedule);
            }
        }
        if (as_json_) {
            judgement shown = judged;
            if (!scenario_file.empty() && !judged.scenario.empty()) shown.scenario = scenario_file;
            call.print(json_of(what.file, what.found, shown));
        } else {
            call.print(text(call, what, judged, schedule_file));
        }
        draw_picture(what.found);
        return judged.verdict != "refuted";
    }

    void draw_picture(const report& found) const {
        if (picture_.empty() || (found.edges.empty() && found.tasks.empty())) return;
        save_picture_as(numbered(picture_, count_), dot_of(found));
    }

    static void save_picture_as(const std::string& file, const std::string& digraph) {
        const std::string format = format_of(file);
        if (format == "dot") return write_text(file, digraph);
        const std::string draft = file + ".dot";
        write_text(draft, digraph);
        const bool is_drawn = draw(draft, file, format);
        std::error_code ignored;
        if (!is_drawn)
            throw error(file + ": Graphviz's dot is missing or failed; " + draft +
                        " is the digraph");
        std::filesystem::remove(draft, ignored);
    }

    std::string text(const invocation& call, const finding_of_text& what, const judgement& judged,
                     const std::string& schedule_file) const {
        std::string shown = place_of(what.file, what.found) + ": " + text_of(what.found);
        for (const std::string& each : what.again) shown += "  the same again at " + each + "\n";
        if (!judged.verdict.empty()) {
            shown += "\n  verdict  " + judged.verdict + ": " + judged.why + "\n";
            for (const answer& each : judged.answers)
                shown += "           " + each.assumption + ": " + each.outcome + "\n";
        }
        if (!judged.scenario.empty()) {
            shown += "\n  the scenario\n" + indented(judged.scenario);
            if (!judged.hang.empty()) shown += "\n" + indented(judged.hang);
        }
        if (!schedule_file.empty()) shown += "  replay: " + call.replay_line(schedule_file) + "\n";
        return shown + "\n";
    }

    static std::string indented(const std::string& text) {
        std::string result;
        for (std::size_t at = 0; at < text.size();) {
            std::size_t end = text.find('\n', at);
            if (end == std::string::npos) end = text.size();
            if (end > at) result += "    " + text.substr(at, end - at);
            result += "\n";
            at = end + 1;
        }
        return result;
    }

    static void text_or_null(json_writer& json, const std::string& value) {
        if (value.empty())
            json.null();
        else
            json.value(value);
    }

    /// Writes a report as the one finding of its statement, as other commands write theirs.
    static void write_finding(json_writer& json, const report& found, const judgement& judged) {
        json.begin('{').key("kind").value(found.kind).key("what").value(what_of(found));
        std::vector<std::string> classes = found.cycle_locks;
        if (classes.empty())
            for (const std::string* const each : {&found.new_lock, &found.held_lock})
                if (!each->empty()) classes.push_back(*each);
        json.key("classes").list(classes).key("hang").begin('[');
        for (const cycle_edge& each : found.edges) {
            json.begin('{').key("task").value(each.task).key("holds").value(each.from);
            json.key("waits_for").value(each.to).key("at");
            json.value(each.stack.empty() ? std::string() : each.stack.front()).end('}');
        }
        json.end(']').key("verdict");
        text_or_null(json, judged.verdict);
        std::string signature = signature_of(found);
        std::replace(signature.begin(), signature.end(), '\n', ' ');
        while (signature.ends_with(' ')) signature.pop_back();
        json.key("reason").value(judged.why).key("signature").value(signature);
        json.key("line").value(std::uint64_t{found.first_line}).key("scenario");
        text_or_null(json, judged.scenario.ends_with(".wedge") ? judged.scenario : "");
        json.end('}');
    }

    static std::string json_of(const std::string& file, const report& found,
                               const judgement& judged) {
        json_writer json;
        wedge::report::begin_json(json, "explain")
            .key("file")
            .value(file)
            .key("kind")
            .value(found.kind)
            .key("kernel")
            .value(found.version);
        json.key("task").value(found.task).key("new_lock").value(found.new_lock);
        json.key("held_lock").value(found.held_lock).key("cycle_locks").list(found.cycle_locks);
        json.key("cycle_edges").begin('[');
        for (const cycle_edge& each : found.edges)
            json.begin('[').value(each.from).value(each.to).end(']');
        json.end(']').key("usage_states").value(found.usage_states);
        json.key("complete").value(found.complete).key("verdict");
        text_or_null(json, judged.verdict);
        json.key("scenario");
        text_or_null(json, judged.scenario);
        json.key("findings").begin('[');
        if (found.kind != "none") write_finding(json, found, judged);
        return json.end(']').end('}').text() + "\n";
    }

    std::vector<std::string> files_;
    traces_call traces_;
    std::string out_;
    std::string picture_;
    bool as_json_ = false;
    bool is_read_only_ = false;
    std::size_t count_ = 0;
    std::size_t unread_ = 0;
};

}  // namespace

std::unique_ptr<subcommand> make_explain_command() {
    return std::make_unique<explain_command>();
}

}  // namespace wedge::explain
