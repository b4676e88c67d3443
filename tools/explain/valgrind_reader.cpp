// Reads what Valgrind's tools Helgrind and DRD report about locks.
#include <map>
#include <optional>
#include <utility>

#include "explain/matching.hpp"
#include "explain/reader.hpp"

namespace wedge::explain {
namespace {

/// Returns a line without `==123==`. Nothing: Valgrind did not print it.
std::optional<std::string_view> said(std::string_view text) {
    const std::size_t at = text.find("==");
    if (at == text.npos) return std::nullopt;
    const std::string_view rest = text.substr(at + 2);
    const std::string_view number = leading_number(rest);
    if (number.empty() || !rest.substr(number.size()).starts_with("==")) return std::nullopt;
    return trimmed(rest.substr(number.size() + 2));
}

/// Returns `f() (a.cpp:1)` of a frame `by 0x1: f() (a.cpp:1)`.
std::optional<std::string> valgrind_frame_of(std::string_view text) {
    if (!text.starts_with("at 0x") && !text.starts_with("by 0x")) return std::nullopt;
    const std::string_view address = leading_address(text.substr(3));
    const std::string_view rest = text.substr(3 + address.size());
    if (!rest.starts_with(": ")) return std::nullopt;
    return std::string(rest.substr(2));
}

std::string lower_case(std::string_view text) {
    std::string made(text);
    for (char& c : made)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return made;
}

/// One error, from its first line to the next error.
class valgrind_error {
public:
    explicit valgrind_error(std::span<const line> text) : text_(text) {
        for (const line& each : text)
            lines_.push_back(said(each.text).value_or(std::string_view()));
        made_.first_line = text.front().number;
        made_.last_line = text.back().number;
        name_locks();
    }

    std::optional<report> read() {
        const std::string_view head = lines_.front();
        if (head.starts_with("Thread #")) made_.task = before(before(head, ":"), "'s ");
        if (has(head, "lock order \"")) return read_order();
        if (has(head, "Attempt to re-lock a non-recursive lock"))
            return read_second(between_previous());
        if (head.starts_with("Recursive locking not allowed:")) return read_drd_second();
        if (has(head, "unlocked a not-locked lock") || has(head, "currently held by thread") ||
            head.starts_with("Mutex not locked"))
            return read_misuse("bad-unlock");
        if (has(head, "Exiting thread still holds")) return read_misuse("still-held");
        if (has(head, "destroy a locked mutex") || head.starts_with("Destroying locked"))
            return read_misuse("held-freed");
        return std::nullopt;
    }

    /// Whether a line begins an error that we know.
    static bool is_head(std::string_view text) {
        if (text.starts_with("Thread #")) return has(text, ": ") || has(text, "'s call");
        for (const std::string_view each :
             {"Recursive locking not allowed:", "Mutex not locked", "Destroying locked"})
            if (text.starts_with(each)) return true;
        return false;
    }

private:
    std::vector<std::string> stack_below(std::size_t i) const {
        std::vector<std::string> stack;
        for (++i; i < lines_.size(); ++i) {
            if (const auto frame = valgrind_frame_of(lines_[i]))
                stack.push_back(*frame);
            else
                break;
        }
        return stack;
    }

    /// Finds the variables behind addresses: `Address 0x1 is 0 bytes inside data symbol "x"`.
    void name_locks() {
        for (const std::string_view text : lines_) {
            if (!text.starts_with("Address 0x") && !text.starts_with("Location 0x")) continue;
            const std::string_view address = leading_address(text.substr(text.find("0x")));
            std::string_view symbol = between(text, "data symbol \"", "\"");
            for (const std::string_view sort : {"global var \"", "local var \""})
                if (symbol.empty()) symbol = between(text, sort, "\"");
            if (symbol.empty() || !has(text, " is 0 bytes inside")) continue;
            names_[lower_case(address)] = demangled(symbol);
        }
    }
    std::string name_of(std::string_view address) const {
        const auto known = names_.find(lower_case(address));
        return known == names_.end() ? lower_case(address) : known->second;
    }

    /// Returns the number of the line that says `what` about the lock at `address`.
    std::optional<std::size_t> line_of(std::string_view what, std::string_view address) const {
        for (std::size_t i = 1; i < lines_.size(); ++i)
            if (has(lines_[i], what) && leading_address(behind(lines_[i], "lock at ")) == address)
                return i;
        return std::nullopt;
    }

    /// The dependency whose lines begin with `first`, and go on with `followed by`.
    std::optional<cycle_edge> edge(std::string_view first, std::string_view from,
                                   std::string_view to) const {
        const auto outer = line_of(first, from);
        if (!outer) return std::nullopt;
        for (std::size_t i = *outer + 1; i < lines_.size(); ++i) {
            if (!has(lines_[i], "followed by a later acquisition of lock at ")) continue;
            if (leading_address(behind(lines_[i], "lock at ")) != to) return std::nullopt;
            cycle_edge made{name_of(from),       name_of(to), {}, stack_below(i),
                            stack_below(*outer), {},          {}};
            made.mode = mode_of(made.stack);
            made.from_mode = mode_of(made.from_stack);
            return made;
        }
        return std::nullopt;
    }

    /// `lock order "A before B" violated`: this thread took B and then A.
    report read_order() {
        made_.kind = "circular";
        const std::string_view order = behind(lines_.front(), "lock order \"");
        const std::string_view first = leading_address(order);
        const std::string_view second = leading_address(behind(order, " before "));
        if (first.empty() || second.empty() || !has(order, "\" violated")) {
            made_.lacks("the addresses of the locks");
            return made_;
        }
        made_.new_lock = name_of(first);
        made_.held_lock = name_of(second);
        for (const std::string_view each : {first, second})
            made_.locks.push_back({name_of(each), lower_case(each), {}, {}, {}, {}});
        auto against =
            edge("Observed (incorrect) order is: acquisition of lock at ", second, first);
        const auto required =
            edge("Required order was established by acquisition of lock at ", first, second);
        if (against) against->task = made_.task;
        if (!against) {
            against = cycle_edge{made_.held_lock, made_.new_lock, made_.task, {}, {}, {}, {}};
            made_.lacks("where " + made_.new_lock + " was acquired while " + made_.held_lock +
                        " was held");
        }
        if (!required) {
            // Helgrind prints it only if a single task has set the order: else other locks are
            // between.
            made_.edges.push_back(*against);
            made_.lacks("what set the order of " + made_.new_lock + " before " + made_.held_lock +
                        ": Helgrind prints no chain over other locks");
            return made_;
        }
        set_cycle(made_, {*required, *against});
        return made_;
    }

    std::vector<std::string> between_previous() const {
        for (std::size_t i = 1; i < lines_.size(); ++i)
            if (has(lines_[i], "Lock was previously acquired")) return stack_below(i);
        return {};
    }

    /// Helgrind prints neither name nor address of a lock that is taken twice.
    report read_second(std::vector<std::string> previous) {
        made_.kind = "recursive";
        std::vector<std::string> stack = stack_below(0);
        if (stack.empty()) made_.lacks("the stack of the second acquisition");
        if (previous.empty()) made_.lacks("the stack of the first acquisition");
        std::string name;
        for (const std::string_view each : lines_)
            if (const auto at = leading_address(behind(each, "Lock at ")); !at.empty())
                name = name_of(at);
        if (name.empty()) {
            const std::string place = place_of_acquire(previous);
            name = place.empty() ? "lock" : "lock of " + without_namespace(place);
            made_.notes.push_back("Helgrind does not name a lock that is acquired twice.");
        }
        made_.locks.push_back({name, {}, {}, {}, place_of_acquire(previous), mode_of(previous)});
        cycle_edge once{name, name, made_.task, std::move(stack), std::move(previous), {}, {}};
        once.mode = mode_of(once.stack);
        once.from_mode = mode_of(once.from_stack);
        set_cycle(made_, {std::move(once)});
        return made_;
    }

    /// `Recursive locking not allowed: mutex 0x1, recursion count 1, owner 2.`
    report read_drd_second() {
        made_.kind = "recursive";
        const std::string_view address = leading_address(behind(lines_.front(), "mutex "));
        const std::string_view owner = leading_number(behind(lines_.front(), "owner "));
        std::vector<std::string> stack = stack_below(0);
        if (!owner.empty()) made_.task = "Thread " + std::string(owner);
        if (stack.empty()) made_.lacks("the stack of the second acquisition");
        if (address.empty()) {
            made_.lacks("the address of the mutex");
            return made_;
        }
        const std::string name = name_of(address);
        made_.locks.push_back({name, lower_case(address), {}, {}, {}, {}});
        const acquire_mode mode = mode_of(stack);
        set_cycle(made_, {{name, name, made_.task, std::move(stack), {}, mode, {}}});
        return made_;
    }

    report read_misuse(const char* kind) {
        made_.kind = kind;
        std::string_view address;
        for (const std::string_view part : {"lock at ", "mutex ", "lock "})
            if (address.empty()) address = leading_address(behind(lines_.front(), part));
        if (!address.empty()) made_.new_lock = name_of(address);
        task_state task{made_.task, {}, {}, stack_below(0), false};
        if (task.stack.empty()) made_.lacks("the stack");
        made_.tasks.push_back(std::move(task));
        return made_;
    }

    std::span<const line> text_;
    std::vector<std::string_view> lines_;
    std::map<std::string, std::string> names_;
    report made_;
};

class valgrind final : public reader {
public:
    const char* name() const override { return "Valgrind"; }

    void find(std::span<const line> text, std::vector<report>& found) const override {
        std::string version;
        for (std::size_t i = 0; i < text.size();) {
            const auto words = said(text[i].text);
            if (words && words->starts_with("Using Valgrind-"))
                version = before(words->substr(6), " ");
            if (!words || !valgrind_error::is_head(*words)) {
                ++i;
                continue;
            }
            std::size_t end = i + 1;
            while (end < text.size() && !is_end(said(text[end].text))) ++end;
            if (auto made = valgrind_error(text.subspan(i, end - i)).read()) {
                made->version = version;
                found.push_back(std::move(*made));
            }
            i = end;
        }
    }

private:
    static bool is_end(const std::optional<std::string_view>& words) {
        return words && (valgrind_error::is_head(*words) || words->starts_with("-----") ||
                         words->starts_with("---Thread") || words->starts_with("ERROR SUMMARY"));
    }
};

}  // namespace

const reader& valgrind_reader() {
    static const valgrind only;
    return only;
}

}  // namespace wedge::explain
