// Reads the reports of ThreadSanitizer about mutexes.
#include <optional>
#include <utility>

#include "explain/matching.hpp"
#include "explain/reader.hpp"

namespace wedge::explain {
namespace {

constexpr std::string_view tsan_heading = "WARNING: ThreadSanitizer: ";

/// Returns a frame `#0 f(int) /a/b.cpp:17:5 (program+0x1) (BuildId: 0)` as `f(int)
/// (/a/b.cpp:17:5)`.
std::optional<std::string> tsan_frame_of(std::string_view text) {
    text = trimmed(text);
    if (!text.starts_with('#')) return std::nullopt;
    const std::string_view number = leading_number(text.substr(1));
    if (number.empty()) return std::nullopt;
    text = trimmed(text.substr(1 + number.size()));
    if (const std::size_t id = text.find(" (BuildId:"); id != text.npos) text = text.substr(0, id);
    // The module is the last part in parentheses, and the place is the word before it.
    if (text.ends_with(')'))
        if (const std::size_t module = text.rfind(" (");
            module != text.npos && has(text.substr(module), "+0x"))
            text = text.substr(0, module);
    const std::size_t place = text.rfind(' ');
    if (place == text.npos) return std::string(text);
    const std::string_view where = text.substr(place + 1);
    if (where == "<null>") return std::string(trimmed(text.substr(0, place)));
    if (!has(where, ":") || !has(where, "/")) {
        if (!has(where, ".")) return std::string(text);
    }
    return std::string(text.substr(0, place)) + " (" + std::string(where) + ")";
}

/// `M0` and its address, of `M0 (0x7f)`.
struct mutex_name {
    std::string name;
    std::string address;
};

std::optional<mutex_name> leading_mutex(std::string_view text) {
    if (!text.starts_with('M')) return std::nullopt;
    const std::string_view number = leading_number(text.substr(1));
    if (number.empty()) return std::nullopt;
    mutex_name made{std::string(text.substr(0, 1 + number.size())), {}};
    const std::string_view rest = text.substr(made.name.size());
    if (rest.starts_with(" (")) made.address = leading_address(rest.substr(2));
    return made;
}

/// One report, from its heading to its end.
class tsan_report {
public:
    explicit tsan_report(std::span<const line> text) : text_(text) {}

    std::optional<report> read() {
        made_.first_line = text_.front().number;
        made_.last_line = text_.back().number;
        const std::string_view what = behind(text_.front().text, tsan_heading);
        if (what.starts_with("lock-order-inversion")) return read_cycle();
        if (what.starts_with("double lock")) return read_double_lock();
        if (what.starts_with("unlock of an unlocked mutex") ||
            what.starts_with("read unlock of a write locked") ||
            what.starts_with("unlock of a write locked"))
            return read_misuse("bad-unlock");
        if (what.starts_with("destroy of a locked mutex")) return read_misuse("held-freed");
        return std::nullopt;
    }

private:
    /// The line `i`, and the next ones that a mail has broken off it, up to `end` at its end.
    std::string whole(std::size_t i, std::string_view end) const {
        std::string text(trimmed(text_[i].text));
        for (std::size_t more = 1; more <= 3 && i + more < text_.size(); ++more) {
            if (text.ends_with(end)) break;
            text += ' ';
            text += trimmed(text_[i + more].text);
        }
        return text;
    }

    std::vector<std::string> stack_below(std::size_t i) const {
        std::vector<std::string> stack;
        for (++i; i < text_.size(); ++i) {
            const auto frame = tsan_frame_of(text_[i].text);
            if (!frame && (!stack.empty() || trimmed(text_[i].text).empty())) break;
            if (frame) stack.push_back(*frame);
        }
        return stack;
    }

    /// The locks of `M0 (0x1) => M1 (0x2) => M0`, without the last. Empty: that is not the whole.
    static std::vector<mutex_name> cycle_of(std::string_view text) {
        std::vector<mutex_name> locks;
        while (true) {
            text = trimmed(text);
            const auto next = leading_mutex(text);
            if (!next) return {};
            if (!locks.empty() && next->name == locks.front().name) return locks;
            if (locks.size() == cycle_limit) return {};
            locks.push_back(*next);
            const std::size_t arrow = text.find("=>");
            if (arrow == text.npos) return {};
            text = text.substr(arrow + 2);
        }
    }

    report read_cycle() {
        made_.kind = "circular";
        std::vector<mutex_name> locks;
        for (std::size_t i = 0; i < text_.size() && locks.empty(); ++i) {
            if (!has(text_[i].text, "Cycle in lock order graph:")) continue;
            std::string joined(behind(text_[i].text, "graph:"));
            for (std::size_t more = 1; more <= 8; ++more) {
                locks = cycle_of(joined);
                if (!locks.empty() || i + more >= text_.size() ||
                    trimmed(text_[i + more].text).empty())
                    break;
                joined += ' ';
                joined += trimmed(text_[i + more].text);
            }
        }
        read_acquires();
        if (locks.empty()) {
            made_.edges = edges_;
            made_.lacks("the line `Cycle in lock order graph` up to its end");
            return made_;
        }
        std::vector<cycle_edge> cycle;
        for (std::size_t i = 0; i < locks.size(); ++i) {
            const std::string& from = locks[i].name;
            const std::string& to = locks[(i + 1) % locks.size()].name;
            cycle.push_back({from, to, {}, {}, {}, {}, {}});
            bool is_there = false;
            for (const cycle_edge& each : edges_) {
                if (each.from != from || each.to != to) continue;
                cycle.back() = each;
                is_there = true;
            }
            if (!is_there) made_.lacks("where " + to + " was acquired while " + from + " was held");
            made_.locks.push_back({from, locks[i].address, {}, {}, {}, {}});
        }
        set_cycle(made_, std::move(cycle));
        return made_;
    }

    /// Reads `Mutex M1 acquired here while holding mutex M0 in thread T1:` and the stacks.
    void read_acquires() {
        for (std::size_t i = 0; i < text_.size(); ++i) {
            if (!has(text_[i].text, "Mutex M")) continue;
            const std::string text = whole(i, ":");
            const auto to = leading_mutex(behind(text, "Mutex "));
            const auto from = leading_mutex(behind(text, "while holding mutex "));
            if (to && from && has(text, " acquired here")) {
                std::string_view task = behind(text, "while holding mutex ");
                task = before(behind(task, " in "), ":");
                std::vector<std::string> stack = stack_below(i);
                if (stack.empty())
                    made_.lacks("the stack of " + to->name + " while " + from->name + " was held");
                const acquire_mode mode = mode_of(stack);
                edges_.push_back({from->name,
                                  to->name,
                                  std::string(before(task, " (")),
                                  std::move(stack),
                                  {},
                                  mode,
                                  {}});
            } else if (to && !edges_.empty() &&
                       has(text, "previously acquired by the same thread")) {
                if (edges_.back().from != to->name) continue;
                edges_.back().from_stack = stack_below(i);
                edges_.back().from_mode = mode_of(edges_.back().from_stack);
            }
        }
    }

    /// A lock that a thread takes although it, or another one, has it.
    report read_double_lock() {
        made_.kind = "recursive";
        const std::vector<std::string> stack = stack_below(0);
        read_mutex();
        if (stack.empty()) made_.lacks("the stack of the second acquisition");
        if (made_.new_lock.empty()) {
            made_.lacks("the name of the mutex");
            return made_;
        }
        std::vector<cycle_edge> once{
            {made_.new_lock, made_.new_lock, {}, stack, {}, mode_of(stack), {}}};
        set_cycle(made_, std::move(once));
        return made_;
    }

    report read_misuse(const char* kind) {
        made_.kind = kind;
        read_mutex();
        task_state task;
        task.stack = stack_below(0);
        if (task.stack.empty()) made_.lacks("the stack");
        if (made_.new_lock.empty()) made_.lacks("the name of the mutex");
        made_.tasks.push_back(std::move(task));
        return made_;
    }

    /// Reads `Mutex M0 (0x1) created at:`, and the name of the variable if there is one.
    void read_mutex() {
        std::string variable;
        for (const line& each : text_) {
            if (const auto name = between(each.text, "Location is global '", "'"); !name.empty())
                variable = name;
            const auto mutex = leading_mutex(behind(each.text, "Mutex "));
            if (!mutex || !has(each.text, " created at")) continue;
            made_.new_lock = variable.empty() ? mutex->name : without_namespace(variable);
            made_.locks.push_back({made_.new_lock, mutex->address, {}, {}, {}, {}});
            return;
        }
    }

    std::span<const line> text_;
    report made_;
    std::vector<cycle_edge> edges_;
};

class tsan final : public reader {
public:
    const char* name() const override { return "ThreadSanitizer"; }

    void find(std::span<const line> text, std::vector<report>& found) const override {
        for (std::size_t i = 0; i < text.size();) {
            if (!has(text[i].text, tsan_heading)) {
                ++i;
                continue;
            }
            std::size_t end = i + 1;
            while (end < text.size() && !is_end(text[end].text)) ++end;
            if (auto made = tsan_report(text.subspan(i, end - i)).read())
                found.push_back(std::move(*made));
            i = end;
        }
    }

private:
    static bool is_end(std::string_view text) {
        return has(text, tsan_heading) || has(text, "SUMMARY: ThreadSanitizer") ||
               has(text, "==================");
    }
};

}  // namespace

const reader& tsan_reader() {
    static const tsan only;
    return only;
}

}  // namespace wedge::explain
