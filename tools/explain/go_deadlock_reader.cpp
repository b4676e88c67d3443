// Reads the "POTENTIAL DEADLOCK" reports of go-deadlock.
#include <algorithm>
#include <optional>
#include <utility>

#include "explain/matching.hpp"
#include "explain/reader.hpp"

namespace wedge::explain {
namespace {

constexpr std::string_view go_heading = "POTENTIAL DEADLOCK:";

/// A frame `a/b.go:23 main.f { m.Lock() } <<<<<`.
struct go_frame {
    std::string text;    ///< `main.f (a/b.go:23)`
    std::string source;  ///< between the braces
};

std::optional<go_frame> go_frame_of(std::string_view text) {
    text = trimmed(text);
    const std::size_t file = text.find(".go:");
    if (file == text.npos) return std::nullopt;
    const std::size_t number = leading_number(text.substr(file + 4)).size();
    const std::size_t end = file + 4 + number;
    if (number == 0 || !text.substr(end).starts_with(' ')) return std::nullopt;
    const std::size_t open = text.find(" { ", end);
    if (open == text.npos) return std::nullopt;
    const std::size_t close = text.rfind(" }");
    std::string source;
    if (close != text.npos && close > open + 3) source = text.substr(open + 3, close - open - 3);
    return go_frame{std::string(text.substr(end + 1, open - end - 1)) + " (" +
                        std::string(text.substr(0, end)) + ")",
                    std::move(source)};
}

/// A stack, and what its innermost frames say about the lock.
struct go_stack {
    std::vector<std::string> frames;
    std::string lock;  ///< the expression before `.Lock()`; empty: the source does not show it
    acquire_mode mode = acquire_mode::unknown;
};

/// Finds the lock in a line of the source, as `accounts` in `accounts.Lock()`.
void name_lock(go_stack& made, const go_frame& frame) {
    const bool is_own = has(frame.text, "go-deadlock.");  // a frame of the library itself
    for (const auto& [call, mode] :
         {std::pair{".Lock(", acquire_mode::write}, {".RLock(", acquire_mode::read}}) {
        const std::size_t at = frame.source.find(call);
        if (is_own || at == std::string::npos || !made.lock.empty()) continue;
        std::size_t begin = at;
        while (begin > 0) {
            const char c = frame.source[begin - 1];
            const bool is_name = is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                 c == '_' || c == '.' || c == '[' || c == ']';
            if (!is_name) break;
            --begin;
        }
        made.lock = frame.source.substr(begin, at - begin);
        made.mode = mode;
    }
}

/// A lock and the goroutine that has it, of `goroutine 19 lock 0xc0`.
struct lock_line {
    std::string task;
    std::string address;
};

std::optional<lock_line> lock_of(std::string_view text) {
    const std::size_t at = text.find("goroutine ");
    if (at == text.npos) return std::nullopt;
    const std::string_view number = leading_number(text.substr(at + 10));
    const std::string_view rest = text.substr(at + 10 + number.size());
    if (number.empty() || !rest.starts_with(" lock ")) return std::nullopt;
    const std::string_view address = leading_address(rest.substr(6));
    if (address.empty()) return std::nullopt;
    return lock_line{"goroutine " + std::string(number), std::string(address)};
}

/// One report, from its heading to the next one or the end.
class go_report {
public:
    explicit go_report(std::span<const line> text) : text_(text) {}

    void read(std::vector<report>& found) {
        made_.first_line = text_.front().number;
        made_.last_line = text_.back().number;
        const std::string_view what = behind(text_.front().text, go_heading);
        if (has(what, "Inconsistent locking"))
            read_order(found);
        else if (has(what, "Recursive locking"))
            read_second(found);
        else
            read_wait(found);
    }

private:
    std::optional<std::size_t> line_with(std::string_view words, std::size_t from) const {
        for (std::size_t i = from; i < text_.size(); ++i)
            if (has(text_[i].text, words)) return i;
        return std::nullopt;
    }

    go_stack stack_below(std::size_t i) const {
        go_stack made;
        for (++i; i < text_.size(); ++i) {
            const auto frame = go_frame_of(text_[i].text);
            if (!frame && made.frames.empty() && lock_of(text_[i].text)) continue;
            if (!frame) break;
            if (made.frames.size() < 3) name_lock(made, *frame);
            made.frames.push_back(frame->text);
        }
        return made;
    }

    /// Two orders: four stacks, of which the first and the last are about one lock.
    void read_order(std::vector<report>& found) {
        made_.kind = "circular";
        std::vector<go_stack> stacks;
        for (std::size_t i = 0; i < text_.size(); ++i) {
            const std::string_view text = text_[i].text;
            if (stacks.size() < 4 && (has(text, "happened before") || has(text, "happened after")))
                stacks.push_back(stack_below(i));
        }
        static constexpr const char* parts[] = {
            "the stack of the first lock", "the stack of the second lock",
            "the stack of the second lock in the other goroutine",
            "the stack of the first lock in the other goroutine"};
        for (std::size_t i = 0; i < 4; ++i)
            if (i >= stacks.size() || stacks[i].frames.empty()) made_.lacks(parts[i]);
        stacks.resize(4);
        std::string first = stacks[0].lock.empty() ? stacks[3].lock : stacks[0].lock;
        std::string second = stacks[1].lock.empty() ? stacks[2].lock : stacks[1].lock;
        if (first.empty()) first = "first lock";
        if (second.empty()) second = "second lock";
        if (first == second) second += " (the other one)";
        const auto edge = [](const std::string& from, const std::string& to, const go_stack& outer,
                             const go_stack& inner, const char* task) {
            return cycle_edge{from, to, task, inner.frames, outer.frames, inner.mode, outer.mode};
        };
        made_.locks = {{first, {}, {}, {}, place_of_acquire(stacks[0].frames), stacks[0].mode},
                       {second, {}, {}, {}, place_of_acquire(stacks[2].frames), stacks[2].mode}};
        std::vector<cycle_edge> edges{
            edge(first, second, stacks[0], stacks[1], "a goroutine"),
            edge(second, first, stacks[2], stacks[3], "another goroutine")};
        if (made_.complete) {
            set_cycle(made_, std::move(edges));
        } else {
            if (stacks[1].frames.empty()) edges.clear();
            if (!edges.empty() && stacks[3].frames.empty()) edges.pop_back();
            made_.edges = std::move(edges);
        }
        found.push_back(std::move(made_));
    }

    void read_second(std::vector<report>& found) {
        made_.kind = "recursive";
        std::optional<lock_line> lock;
        std::size_t at = 0;
        for (std::size_t i = 1; i < text_.size() && !lock; ++i)
            if ((lock = lock_of(text_[i].text))) at = i;
        const auto previous = line_with("Previous place where the lock was grabbed", 1);
        const go_stack second = lock ? stack_below(at) : go_stack();
        const go_stack first = previous ? stack_below(*previous) : go_stack();
        if (!lock) made_.lacks("the line `current goroutine`");
        if (second.frames.empty()) made_.lacks("the stack of the second acquisition");
        if (first.frames.empty()) made_.lacks("the stack of the first acquisition");
        // Two expressions for one lock, as parameters, say less than its address.
        std::string name = second.lock.empty() || second.lock == first.lock ? first.lock : "";
        if (first.lock.empty()) name = second.lock;
        if (name.empty() && lock) name = lock->address;
        if (name.empty()) {
            found.push_back(std::move(made_));
            return;
        }
        const std::string task = lock ? lock->task : "";
        made_.locks.push_back(
            {name, lock ? lock->address : "", {}, {}, place_of_acquire(first.frames), first.mode});
        set_cycle(made_,
                  {{name, name, task, second.frames, first.frames, second.mode, first.mode}});
        found.push_back(std::move(made_));
    }

    /// A goroutine waits for longer than the limit: who waits for whom.
    void read_wait(std::vector<report>& found) {
        const auto previous = line_with("Previous place where the lock was grabbed", 0);
        const auto trying = line_with("Have been trying to lock it again", previous.value_or(0));
        const auto holder = lock_below(previous);
        const auto waiter = lock_below(trying);
        if (!holder || !waiter) {
            made_.kind = "hung";
            made_.has_happened = true;
            made_.lacks(holder ? "the goroutine that waits" : "the goroutine that holds the lock");
            if (holder) made_.new_lock = holder->address;
            found.push_back(std::move(made_));
            return;
        }
        const go_stack held = stack_below(*previous);
        const go_stack wanted = stack_below(*trying);
        if (wanted.frames.empty()) made_.lacks("the stack of the goroutine that waits");
        task_state owner{holder->task, {}, {}, {}, false};
        owner.held.push_back(
            {holder->address, holder->address, {}, {}, place_of_acquire(held.frames), held.mode});
        task_state blocked{waiter->task, {}, {}, wanted.frames, false};
        blocked.waits.push_back({waiter->address, waiter->address, holder->task,
                                 place_of_acquire(wanted.frames), wanted.mode});
        made_.tasks = {std::move(blocked), std::move(owner)};
        read_others();
        read_owner_wait();
        add_waits(made_, found);
    }

    std::optional<lock_line> lock_below(const std::optional<std::size_t>& at) const {
        if (!at || *at + 1 >= text_.size()) return std::nullopt;
        return lock_of(text_[*at + 1].text);
    }

    task_state& task_of(const std::string& name) {
        for (task_state& each : made_.tasks)
            if (each.task == name) return each;
        made_.tasks.push_back({name, {}, {}, {}, false});
        return made_.tasks.back();
    }

    void read_others() {
        const auto others = line_with("Other goroutines holding locks:", 0);
        if (!others) return;
        for (std::size_t i = *others + 1; i < text_.size(); ++i) {
            const auto lock = lock_of(text_[i].text);
            if (!lock || made_.tasks.size() > 1000) continue;
            const go_stack stack = stack_below(i);
            task_of(lock->task)
                .held.push_back({lock->address,
                                 lock->address,
                                 {},
                                 {},
                                 place_of_acquire(stack.frames),
                                 stack.mode});
        }
    }

    /// What the holder does now: its stack has the address of the mutex that it waits for.
    void read_owner_wait() {
        const auto now = line_with("Here is what goroutine", 0);
        if (!now) return;
        task_state& owner = made_.tasks[1];
        for (std::size_t i = *now + 1; i < text_.size(); ++i) {
            const std::string_view text = text_[i].text;
            if (has(text, "Other goroutines holding locks:") || trimmed(text).empty()) break;
            for (const std::string_view call : {"sync.(*Mutex).lockSlow(", "sync.(*Mutex).Lock("}) {
                const std::string_view argument = behind(text, call);
                const std::string_view address = leading_address(argument);
                if (address.empty() || !argument.substr(address.size()).starts_with(')')) continue;
                if (owner.waits.empty())
                    owner.waits.push_back(
                        {std::string(address), std::string(address), {}, {}, acquire_mode::write});
            }
            if (!trimmed(text).starts_with("goroutine ") && !has(text, ".go:") &&
                owner.stack.size() < 64)
                owner.stack.emplace_back(trimmed(text));
        }
    }

    std::span<const line> text_;
    report made_;
};

class go_deadlock final : public reader {
public:
    const char* name() const override { return "go-deadlock"; }

    void find(std::span<const line> text, std::vector<report>& found) const override {
        for (std::size_t i = 0; i < text.size();) {
            std::size_t end = i + 1;
            if (has(text[i].text, go_heading)) {
                while (end < text.size() && !has(text[end].text, go_heading)) ++end;
                go_report(text.subspan(i, end - i)).read(found);
            }
            i = end;
        }
    }
};

}  // namespace

const reader& go_deadlock_reader() {
    static const go_deadlock only;
    return only;
}

}  // namespace wedge::explain
