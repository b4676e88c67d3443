// Reads `thread apply all bt` of gdb: the stacks of a program that hangs.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "explain/matching.hpp"
#include "explain/reader.hpp"

namespace wedge::explain {
namespace {

/// A pointer that gdb prints: `0x1 <accounts>`.
struct pointer {
    std::string address;
    std::string symbol;  ///< empty: gdb knows none
};

/// Returns the symbol before the `>` that closes it; the names of templates have some inside.
std::string symbol_in(std::string_view text) {
    int depth = 1;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '<') ++depth;
        if (text[i] == '>' && --depth == 0) return std::string(text.substr(0, i));
    }
    return {};
}

/// Finds the argument `name=0x1 <accounts>` of a frame.
std::optional<pointer> argument(std::string_view frame, std::string_view name) {
    for (std::string_view rest = frame; has(rest, name);) {
        const std::size_t at = rest.find(name);
        const bool is_whole = at > 0 && (rest[at - 1] == '(' || rest[at - 1] == ' ');
        rest = rest.substr(at + name.size());
        std::string_view value = rest;
        // gdb prints `name=name@entry=0x1` where the argument has not changed.
        if (value.starts_with('=') && value.substr(1).starts_with(name) &&
            value.substr(1 + name.size()).starts_with("@entry"))
            value = value.substr(1 + name.size() + 6);
        if (!is_whole || !value.starts_with('=')) continue;
        const std::string_view address = leading_address(value.substr(1));
        if (address.empty()) continue;
        pointer made{std::string(address), {}};
        const std::string_view behind_address = value.substr(1 + address.size());
        if (behind_address.starts_with(" <"))
            made.symbol = without_namespace(symbol_in(behind_address.substr(2)));
        return made;
    }
    return std::nullopt;
}

/// A frame of gdb: `#1  0x2 in f (a=1) at b.cpp:3`.
struct gdb_frame {
    std::string_view function;
    std::string text;  ///< `f (b.cpp:3)`
};

std::optional<gdb_frame> gdb_frame_of(std::string_view text) {
    if (!text.starts_with('#')) return std::nullopt;
    const std::string_view number = leading_number(text.substr(1));
    if (number.empty()) return std::nullopt;
    text = trimmed(text.substr(1 + number.size()));
    if (const auto address = leading_address(text); !address.empty()) {
        text = trimmed(text.substr(address.size()));
        if (text.starts_with("in ")) text = text.substr(3);
    }
    gdb_frame made{before(text, " ("), {}};
    if (text.starts_with("("))
        made.function = before(text.substr(1), " (");  // (anonymous namespace)::f
    if (text.starts_with("(anonymous namespace)"))
        made.function = text.substr(0, text.find(" (", std::string_view("(anonymous").size() + 1));
    made.text = made.function;
    if (const std::size_t at = text.rfind(") at "); at != text.npos)
        made.text += " (" + std::string(text.substr(at + 5)) + ")";
    return made;
}

/// A thread of the dump.
struct gdb_thread {
    task_state state;
    std::string number;  ///< that gdb gave it
    std::string lwp;     ///< the number that `__owner` has
    std::string joins;   ///< the handle of the thread that it waits for, in decimal
    std::string condition;
    bool is_at_lock = false;  ///< a frame waits inside the library
};

/// The dump of one program.
class gdb_dump {
public:
    void take(const line& each) {
        const std::string_view text = trimmed(each.text);
        if (is_continued(text)) {
            frame_ += ' ';
            frame_ += text;
            return;
        }
        end_frame();
        if (text.starts_with("Thread ") && has(text, "(Thread 0x")) return begin_thread(text);
        if (text.starts_with("Thread ") && has(text, "(LWP ") && text.ends_with(":"))
            return begin_thread(text);
        if (take_print(text)) return;
        if (!threads_.empty() && is_in_stack_ && text.starts_with('#')) frame_ = text;
    }

    static bool is_thread(std::string_view text) {
        text = trimmed(text);
        return text.starts_with("Thread ") && !leading_number(text.substr(7)).empty() &&
               has(text, "LWP ") && has(text, "):");
    }

    /// Returns whether the dump has a thread of this number; then another dump begins.
    bool has_thread(std::string_view text) const {
        const std::string number = number_of(text);
        return numbers_.contains(number);
    }

    bool has_threads() const { return !threads_.empty(); }

    void finish(std::vector<report>& found, std::size_t first, std::size_t last) {
        end_frame();
        report dump;
        dump.first_line = first;
        dump.last_line = last;
        bool lacks_owner = false;
        std::set<std::string> named;
        for (gdb_thread& thread : threads_) set_owner(thread, lacks_owner, named, dump);
        for (gdb_thread& thread : threads_) dump.tasks.push_back(std::move(thread.state));
        std::vector<report> made;
        add_waits(dump, made);
        for (report& each : made) {
            // Threads that wait for work or for the end of others are no news by themselves.
            if (each.kind == "hung" && !waits_for_lock(each)) continue;
            if (each.kind == "hung" && lacks_owner)
                each.lacks(
                    "the owners of the mutexes: `print *(pthread_mutex_t *) ADDRESS` shows "
                    "`__owner`");
            found.push_back(std::move(each));
        }
    }

private:
    static std::string number_of(std::string_view text) {
        return std::string(leading_number(trimmed(text).substr(7)));
    }

    static bool waits_for_lock(const report& dump) {
        return std::any_of(dump.tasks.begin(), dump.tasks.end(), [](const task_state& task) {
            return !task.waits.empty() && !task.waits.front().instance.empty();
        });
    }

    /// Whether gdb, or a mail, has broken a frame before this line.
    bool is_continued(std::string_view text) const {
        if (frame_.empty() || text.empty() || frame_.size() > 4096) return false;
        if (text.starts_with('#') || text.starts_with('$') || is_thread(text)) return false;
        if (text.starts_with("at ") || text.starts_with("from ")) return true;
        return std::count(frame_.begin(), frame_.end(), '(') >
               std::count(frame_.begin(), frame_.end(), ')');
    }

    void end_frame() {
        if (!frame_.empty()) take_frame(frame_);
        frame_.clear();
    }

    void begin_thread(std::string_view text) {
        gdb_thread made;
        made.lwp = leading_number(behind(text, "LWP "));
        const std::string_view handle = leading_address(behind(text, "(Thread "));
        made.number = number_of(text);
        made.state.task = "thread " + made.number;
        if (const auto name = between(text, ") \"", "\""); !name.empty())
            made.state.task += " (" + std::string(name) + ")";
        numbers_.insert(made.number);
        threads_.push_back(std::move(made));
        by_lwp_[threads_.back().lwp] = threads_.size() - 1;
        std::uint64_t number = 0;
        const auto [end, status] =
            std::from_chars(handle.data() + std::min<std::size_t>(2, handle.size()),
                            handle.data() + handle.size(), number, 16);
        if (status == std::errc()) by_handle_[std::to_string(number)] = threads_.size() - 1;
        is_in_stack_ = true;
    }

    void take_frame(std::string_view text) {
        const auto frame = gdb_frame_of(text);
        if (!frame || !is_in_stack_) return;
        gdb_thread& thread = threads_.back();
        thread.state.stack.push_back(frame->text);
        if (thread.state.stack.size() > 12) return;  // the library is innermost
        const std::string_view function = frame->function;
        if (has(function, "lll_lock_wait") || has(function, "futex") ||
            has(function, "rwlock_wrlock") || has(function, "rwlock_rdlock"))
            thread.is_at_lock = true;
        if (has(function, "cond_wait") || has(function, "cond_timedwait") ||
            has(function, "cond_clockwait")) {
            const auto condition = argument(text, "cond");
            if (condition)
                thread.condition =
                    condition->symbol.empty() ? condition->address : condition->symbol;
            if (thread.condition.empty()) thread.condition = "condition";
            return;
        }
        if (has(function, "join")) {
            const std::string_view handle = leading_number(behind(text, "threadid="));
            if (!handle.empty()) thread.joins = handle;
            return;
        }
        take_lock(thread, text, function);
    }

    /// A frame that has the lock as an argument.
    void take_lock(gdb_thread& thread, std::string_view text, std::string_view function) {
        if (!thread.state.waits.empty() || !thread.condition.empty()) return;
        if (has(function, "unlock")) return;
        std::optional<pointer> lock;
        acquire_mode mode = acquire_mode::write;
        if (has(function, "mutex_lock") || has(function, "mutex_cond_lock") ||
            has(function, "mutex_timedlock") || has(function, "mutex_clocklock")) {
            for (const char* const name : {"mutex", "__mutex"})
                if (!lock) lock = argument(text, name);
        } else if (has(function, "rwlock_rdlock") || has(function, "rwlock_wrlock")) {
            for (const char* const name : {"rwlock", "__rwlock"})
                if (!lock) lock = argument(text, name);
            if (has(function, "rdlock")) mode = acquire_mode::read;
        } else if (has(function, "std::") &&
                   (has(function, "mutex::lock") || has(function, "mutex_base::lock"))) {
            lock = argument(text, "this");
        } else if (has(function, "lll_lock_wait")) {
            futex_ = argument(text, "futex");
            futex_of_ = threads_.size();
            return;
        } else {
            // A library without debug information shows the frames alone; the futex is the mutex.
            return;
        }
        if (!lock && futex_of_ == threads_.size()) lock = futex_;
        if (!lock || !thread.is_at_lock) return;
        thread.state.waits.push_back(
            {lock->symbol.empty() ? lock->address : lock->symbol, lock->address, {}, {}, mode});
    }

    /// Reads `(gdb) print accounts`, and `$1 = {... __owner = 12 ...}` below it.
    bool take_print(std::string_view text) {
        std::string_view command = text;
        while (command.starts_with("(gdb) ")) command = command.substr(6);
        if (command.starts_with('+')) command = command.substr(1);
        for (const std::string_view verb : {"print ", "p ", "inspect ", "output "}) {
            if (!command.starts_with(verb) || (command.size() == text.size())) continue;
            asked_ = trimmed(command.substr(verb.size()));
            if (asked_.starts_with('/')) asked_ = std::string(trimmed(behind(asked_, " ")));
            is_in_stack_ = false;
            return true;
        }
        const bool is_value = text.starts_with('$') && has(text, " = ");
        if (is_value) {
            printed_ = lock_in(asked_);
            asked_.clear();
            is_in_stack_ = false;
        }
        if (is_in_stack_) return is_value;
        for (const std::string_view field : {"__owner = ", "__cur_writer = "}) {
            const std::string_view number = leading_number(behind(text, field));
            if (!number.empty() && number != "0" && !printed_.empty())
                owners_.emplace(printed_, number);
        }
        return is_value;
    }

    /// The thread that holds a lock, by what gdb has printed. Nothing: it has not.
    std::optional<std::size_t> owner_of(const wait_for& wait) const {
        const std::size_t scope = wait.lock.rfind("::");
        const std::string last = scope == std::string::npos ? "" : wait.lock.substr(scope + 2);
        for (const std::string& name : {wait.lock, wait.instance, last}) {
            const auto owner = owners_.find(name);
            if (name.empty() || owner == owners_.end()) continue;
            const auto thread = by_lwp_.find(owner->second);
            if (thread != by_lwp_.end()) return thread->second;
        }
        return std::nullopt;
    }

    /// Returns `0x1` of `*(pthread_mutex_t *) 0x1`, and `accounts` of `&accounts`.
    static std::string_view lock_in(std::string_view name) {
        while (name.starts_with('*') || name.starts_with('(') || name.starts_with('&')) {
            const std::size_t cast = name.starts_with('(') ? name.find(')') : name.npos;
            name = trimmed(name.substr(cast == name.npos ? 1 : cast + 1));
        }
        return name;
    }

    void set_owner(gdb_thread& thread, bool& lacks_owner, std::set<std::string>& named,
                   report& dump) {
        if (!thread.joins.empty() && thread.state.waits.empty()) set_join(thread);
        if (!thread.condition.empty())
            thread.state.waits.push_back(
                {thread.condition, {}, {}, place_of_acquire(thread.state.stack), {}});
        for (wait_for& wait : thread.state.waits) {
            if (wait.at.empty()) wait.at = place_of_acquire(thread.state.stack);
            if (wait.instance.empty() || !wait.owner.empty()) continue;
            const auto owner = owner_of(wait);
            if (!owner) {
                lacks_owner = true;
                if (named.insert(wait.instance).second)
                    dump.notes.push_back("Who holds " + wait.lock +
                                         " is not printed: its address is " + wait.instance + ".");
                continue;
            }
            wait.owner = threads_[*owner].state.task;
            threads_[*owner].state.held.push_back(
                {wait.lock, wait.instance, {}, {}, {}, acquire_mode::write});
        }
    }

    /// A thread waits for the end of another one, as if that held it.
    void set_join(gdb_thread& thread) {
        const auto other = by_handle_.find(thread.joins);
        if (other == by_handle_.end()) return;
        const std::string& name = threads_[other->second].state.task;
        thread.state.waits.push_back(
            {"end of " + name, {}, name, place_of_acquire(thread.state.stack), {}});
    }

    std::vector<gdb_thread> threads_;
    std::set<std::string> numbers_;
    std::map<std::string, std::size_t> by_lwp_;
    std::map<std::string, std::size_t> by_handle_;  // of pthreads, in decimal
    std::map<std::string, std::string> owners_;     // threads by the lock that was printed
    std::string printed_;                           // the lock whose value is being printed
    std::string asked_;
    std::optional<pointer> futex_;
    std::size_t futex_of_ = 0;  // the number of the thread that `futex_` is of
    std::string frame_;         // the last one, which may go on
    bool is_in_stack_ = false;
};

class gdb final : public reader {
public:
    const char* name() const override { return "gdb"; }

    void find(std::span<const line> text, std::vector<report>& found) const override {
        gdb_dump dump;
        std::size_t first = 0;
        for (const line& each : text) {
            if (gdb_dump::is_thread(each.text) && dump.has_thread(each.text)) {
                dump.finish(found, first, std::max(first, each.number - 1));
                dump = gdb_dump();
            }
            if (!dump.has_threads() && gdb_dump::is_thread(each.text)) first = each.number;
            dump.take(each);
        }
        if (dump.has_threads()) dump.finish(found, first, text.back().number);
    }
};

}  // namespace

const reader& gdb_reader() {
    static const gdb only;
    return only;
}

}  // namespace wedge::explain
