#include "predict/predict_command.hpp"

#include <string>
#include <vector>

#include "wedge/core/signature.hpp"
#include "wedge/core/trace.hpp"
#include "wedge/main/allowed.hpp"
#include "wedge/main/files.hpp"
#include "wedge/report/json.hpp"
#include "wedge/report/words.hpp"

#include "predict/predict.hpp"

namespace wedge::predict {
namespace {

using wedge::report::counted;

/// Prints the predictions of one trace.
class prediction_printer {
public:
    /// @param has_accesses  the trace shows accesses to variables, so nothing else is assumed
    prediction_printer(const trace& recorded, std::string file, bool has_accesses)
        : recorded_(recorded),
          file_(std::move(file)),
          label_(has_accesses ? "predicted" : "predicted from lock events"),
          heading_(has_accesses ? "predicted deadlock" : label_ + ": deadlock") {}

    std::string text(const prediction& each) const {
        std::string text = heading_ + " of " + counted(each.waits.size(), "thread") + "\n";
        for (const predicted_wait& wait : each.waits) {
            text += "  " + thread(wait.thread) + "\n";
            text += "    holds    " + lock(wait.held) + place(wait.held_at) + "\n";
            text += "    wants    " + lock(wait.wanted) + place(wait.wanted_at) + "\n";
        }
        text += "  witness  " + witness(each) + "\n";
        return text + "  signature  " + signature(each) + "\n";
    }

    /// Returns what the order checker calls the cycle, so that one entry of an allow list is
    /// enough.
    std::string signature(const prediction& each) const {
        std::vector<dependency> cycle;
        for (const predicted_wait& wait : each.waits) {
            dependency edge;
            edge.held = use(wait.held, wait.held_at);
            edge.wanted = use(wait.wanted, wait.wanted_at);
            cycle.push_back(std::move(edge));
        }
        return "cycle " + cycle_signature(cycle);
    }

    std::string json(const prediction& each, bool is_allowed) const {
        json_writer json;
        json.begin('{').key("schema").value(json_schema).key("command").value("predict");
        json.key("file").value(file_).key("label").value(label_).key("waits").begin('[');
        for (const predicted_wait& wait : each.waits) {
            json.begin('{').key("thread").value(thread(wait.thread));
            json.key("holds").value(lock(wait.held)).key("holds_line").value(line(wait.held_at));
            json.key("wants").value(lock(wait.wanted)).key("wants_line");
            json.value(line(wait.wanted_at)).end('}');
        }
        json.end(']').key("witness").begin('[');
        for (const std::size_t event : each.witness) json.value(line(event));
        write_finding(json.end(']'), each, is_allowed);
        return json.end('}').text() + "\n";
    }

    /// Writes the deadlock as the one finding of its statement, as other commands write theirs.
    void write_finding(json_writer& json, const prediction& each, bool is_allowed) const {
        std::vector<std::string> locks;
        for (const predicted_wait& wait : each.waits) locks.push_back(lock(wait.wanted));
        std::string what;
        for (const predicted_wait& wait : each.waits) what += lock(wait.held) + " -> ";
        if (!each.waits.empty()) what += lock(each.waits.front().held);
        json.key("findings").begin('[').begin('{').key("kind").value("deadlock");
        json.key("what").value(what).key("classes").list(locks).key("hang").begin('[');
        for (const predicted_wait& wait : each.waits) {
            json.begin('{').key("task").value(thread(wait.thread)).key("holds");
            json.value(lock(wait.held)).key("waits_for").value(lock(wait.wanted)).key("at");
            json.value(file_ + ":" + std::to_string(line(wait.wanted_at))).end('}');
        }
        json.end(']').key("verdict").null().key("reason").value(label_);
        if (is_allowed) json.key("allowed").value(true);
        json.key("signature").value(signature(each)).end('}').end(']');
    }

private:
    std::string thread(std::uint32_t number) const {
        const auto known = recorded_.threads.find(number);
        return known == recorded_.threads.end() ? "thread " + std::to_string(number)
                                                : known->second;
    }
    std::string lock(std::uint32_t number) const {
        const auto known = recorded_.locks.find(number);
        if (known == recorded_.locks.end()) return "lock " + std::to_string(number);
        return known->second.substr(known->second.find(' ') + 1);
    }
    lock_use use(std::uint32_t number, std::size_t event) const {
        const trace_op op = recorded_.events[event].op;
        lock_use made;
        made.class_name = recorded_.class_of(number);
        made.how = !is_read(op) ? mode::exclusive : recorded_.reads_of(number);
        return made;
    }
    std::uint64_t line(std::size_t event) const { return recorded_.events[event].line; }
    std::string place(std::size_t event) const {
        std::string text = " at line " + std::to_string(line(event));
        const auto known = recorded_.sites.find(recorded_.events[event].site);
        return known == recorded_.sites.end() ? text : text + ", " + known->second;
    }

    /// Returns the order as runs of threads: `main to line 12, thread 1 to line 20`.
    std::string witness(const prediction& each) const {
        std::string text;
        for (std::size_t i = 0; i < each.witness.size(); ++i) {
            const std::uint32_t now = recorded_.events[each.witness[i]].thread;
            const bool is_last = i + 1 == each.witness.size();
            if (!is_last && recorded_.events[each.witness[i + 1]].thread == now) continue;
            text += (text.empty() ? "" : ", ") + thread(now) + " to line " +
                    std::to_string(line(each.witness[i]));
        }
        return text + "; then nobody can go on";
    }

    const trace& recorded_;
    const std::string file_;
    const std::string label_;
    const std::string heading_;
};

class predict_command final : public subcommand {
public:
    const char* name() const override { return "predict"; }
    const char* purpose() const override {
        return "Read a trace of locks, and report the deadlocks of other orders of its events";
    }

    void add_options(CLI::App& options) override {
        options
            .add_option("TRACE", file_,
                        "A trace of `wedge run --record` or `stress --record`; - is standard input")
            ->required()
            ->type_name("");
        add_flag(options, "--json", as_json_, "Print one JSON object per deadlock");
        add_number(options, "--threads", limits_.threads_max, 2, "The most threads in a deadlock");
        add_number(options, "--patterns", limits_.patterns_max, 1,
                   "How many cycles of acquires are tried");
        allowed_.add_to(options);
        add_out(options, out_, "FILE",
                "The witness of the first deadlock as a trace, of further ones FILE.2 and so on "
                "(default: nowhere)");
    }

    int run(const invocation& call) override {
        allowed_.read();
        const trace recorded = parse_trace(read_text(file_, 4096), file_);
        const prediction_result found = predict(recorded, limits_);
        const prediction_printer printer(recorded, file_, found.has_accesses);
        unsigned count = 0;
        std::size_t unknown = 0;
        for (const prediction& each : found.deadlocks) {
            const bool is_allowed = allowed_.allows(printer.signature(each), file_);
            call.print(as_json_ ? printer.json(each, is_allowed) : printer.text(each) + "\n");
            if (!is_allowed) ++unknown;
            if (out_.empty()) continue;
            const std::string to = ++count == 1 ? out_ : out_ + "." + std::to_string(count);
            write_text(to, text_of(witness_of(recorded, each)));
        }
        if (!as_json_) call.print(summary(recorded, found));
        allowed_.report(call, !found.has_more);
        return exit_status::of(unknown == 0, found.has_more);
    }

private:
    std::string summary(const trace& recorded, const prediction_result& found) const {
        std::string text = counted(found.deadlocks.size(), "deadlock") + " predicted; ";
        text += counted(recorded.events.size(), "event") + ", ";
        text += counted(found.acquires, "nested acquire") + ", " +
                std::to_string(found.abstract_acquires) + " of them different, ";
        text += counted(found.patterns, "pattern");
        if (found.has_more) text += "; not every pattern was tried (--patterns)";
        return text + "\n";
    }

    allowed_findings allowed_;
    std::string file_;
    std::string out_;
    prediction_limits limits_;
    bool as_json_ = false;
};

}  // namespace

std::unique_ptr<subcommand> make_predict_command() {
    return std::make_unique<predict_command>();
}

}  // namespace wedge::predict
