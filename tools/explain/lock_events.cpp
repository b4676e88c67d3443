// Reads events `lock:*` and `contention_*`, as ftrace, trace-cmd and perf script print them, and
// the steps of wedge's own traces.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <optional>
#include <unordered_map>
#include <utility>

#include "wedge/core/trace.hpp"

#include "explain/matching.hpp"
#include "explain/trace.hpp"

namespace wedge::explain {
namespace {

constexpr std::size_t depth_limit = 48;  // of lockdep itself; a deeper stack has stale entries
constexpr std::size_t tasks_limit = 50'000;
constexpr std::size_t locks_limit = 50'000;  // of those known by address alone

enum class event_name : std::uint8_t { acquire, contended, acquired, release, begin, end };

struct event_word {
    std::string_view text;
    event_name name;
};
constexpr event_word event_words[] = {
    {"lock_acquire:", event_name::acquire},   {"lock_contended:", event_name::contended},
    {"lock_acquired:", event_name::acquired}, {"lock_release:", event_name::release},
    {"contention_begin:", event_name::begin}, {"contention_end:", event_name::end}};

/// One line of a trace.
struct lock_event {
    event_name name{};
    std::string_view task;  ///< `comm-12` or `comm 12`
    std::uint64_t pid = 0;
    std::uint64_t cpu = 0;
    std::uint64_t at_ns = 0;
    unsigned context = 0;   ///< 0: of the task itself; else an interrupt, by sort
    std::string_view when;  ///< from the task to the time, for people
    std::string_view payload;
};

std::optional<std::uint64_t> number_of(std::string_view text, int base = 10) {
    std::uint64_t value = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (status != std::errc() || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return value;
}

/// Nanoseconds of `179.034159`.
std::optional<std::uint64_t> time_of(std::string_view text) {
    const std::size_t point = text.find('.');
    if (point == text.npos) return std::nullopt;
    const auto seconds = number_of(text.substr(0, point));
    std::string_view fraction = text.substr(point + 1);
    const auto value = number_of(fraction);
    if (!seconds || !value || fraction.size() > 9 || *seconds > 9'000'000'000) return std::nullopt;
    std::uint64_t ns = *value;
    for (std::size_t i = fraction.size(); i < 9; ++i) ns *= 10;
    return *seconds * 1'000'000'000 + ns;
}

/// Sorts of interrupts have stacks of their own: `h` and `H` hard, `s` soft, `z` and `Z` NMI.
unsigned context_of(std::string_view flags) {
    if (flags.size() < 3) return 0;
    switch (flags[2]) {
        case 's': return 1;
        case 'h':
        case 'H': return 2;
        case 'z':
        case 'Z': return 3;
        default: return 0;
    }
}

/// Finds the event's name and what stands before and behind it.
bool split(std::string_view text, lock_event& made, std::string_view& head) {
    std::size_t best = text.npos;
    for (const event_word& word : event_words) {
        for (std::size_t at = text.find(word.text); at != text.npos;
             at = text.find(word.text, at + 1)) {
            if (at == 0 || (text[at - 1] != ' ' && text[at - 1] != ':')) continue;
            if (at >= best) break;
            best = at;
            made.name = word.name;
            made.payload = trimmed(text.substr(at + word.text.size()));
            break;
        }
    }
    if (best == text.npos) return false;
    head = text.substr(0, best);
    if (head.ends_with("lock:")) head.remove_suffix(5);
    head = trimmed(head);
    return true;
}

/// Reads the task's id off the end of `comm-12`, `comm-12 ( 10)`, `comm 12` or `comm 10/12`.
std::optional<std::uint64_t> pid_of(std::string_view& task) {
    task = trimmed(task);
    if (task.ends_with(')')) task = trimmed(task.substr(0, task.rfind('(')));
    std::size_t begin = task.size();
    while (begin > 0 && is_digit(task[begin - 1])) --begin;
    if (begin == 0 || begin == task.size()) return std::nullopt;
    const char separator = task[begin - 1];
    if (separator != '-' && separator != ' ' && separator != '/') return std::nullopt;
    return number_of(task.substr(begin));
}

std::optional<lock_event> event_of(std::string_view text) {
    lock_event made;
    std::string_view head;
    if (!split(text, made, head)) return std::nullopt;
    if (!head.ends_with(':')) return std::nullopt;
    made.when = head.substr(0, head.size() - 1);
    const std::size_t space = made.when.rfind(' ');
    if (space == head.npos) return std::nullopt;
    const auto at = time_of(made.when.substr(space + 1));
    const std::size_t close = made.when.rfind(']');
    const std::size_t open = made.when.rfind('[');
    if (!at || close == head.npos || open == head.npos || open > close) return std::nullopt;
    const auto cpu = number_of(made.when.substr(open + 1, close - open - 1));
    made.task = made.when.substr(0, open);
    const auto pid = pid_of(made.task);
    if (!cpu || !pid) return std::nullopt;
    made.at_ns = *at;
    made.cpu = *cpu;
    made.pid = *pid;
    if (space > close)
        made.context = context_of(trimmed(made.when.substr(close + 1, space - close - 1)));
    return made;
}

/// A lock that a task holds, or is about to.
struct held_lock {
    std::uint64_t instance = 0;
    std::uint32_t which = 0;
    bool is_read = false;
    bool is_try = false;
};

/// What one task holds in one context.
struct task_locks {
    std::string task;
    std::vector<held_lock> held;
    std::uint64_t waits_since_ns = 0;  ///< 0: it does not wait
    std::size_t waited_lock = 0;       ///< in `contended`
    bool is_at_acquire = false;        ///< its last event is that it wants the last of `held`
};

class lock_events : public trace_reader {
public:
    explicit lock_events(observations& into) : into_(into) { into_.has_modes = true; }

    void take(std::string_view text) override {
        if (is_loss(text)) return forget();
        if (const auto found = event_of(text)) {
            ++into_.events;
            handle(*found);
        }
    }

    void finish() override {
        if (losses_ > 0)
            into_.notes.push_back("The trace has lost events " + std::to_string(losses_) +
                                  (losses_ == 1 ? " time" : " times") +
                                  "; what tasks held then is not known.");
        find_hangs();
    }

protected:
    /// Returns what tells a lock from others of its name: its address.
    virtual std::string mark_of(std::uint64_t instance) const {
        std::array<char, 24> text{};
        std::snprintf(text.data(), text.size(), "@%llx", static_cast<unsigned long long>(instance));
        return text.data();
    }
    void count_event() { ++into_.events; }
    void handle(const lock_event& event) {
        // All idle tasks have the id 0, one on each CPU.
        const std::uint64_t who = event.pid == 0 ? (std::uint64_t{1} << 40) + event.cpu : event.pid;
        task_locks& task = tasks_[who * 4 + event.context];
        if (task.task.empty()) task.task = event.task;
        switch (event.name) {
            case event_name::acquire: return acquire(task, event);
            case event_name::release: return release(task, event);
            case event_name::contended:
            case event_name::begin: return begin_wait(task, event);
            case event_name::acquired:
            case event_name::end: return end_wait(task, event);
        }
    }

private:
    /// Whether events are missing here: the buffer of a CPU begins, or has overflowed.
    static bool is_loss(std::string_view text) {
        return (text.starts_with("##") && has(text, "buffer started")) || has(text, "[LOST ") ||
               has(text, "EVENTS DROPPED") || has(text, "PERF_RECORD_LOST");
    }

    /// A lock whose release was lost would seem held forever, so nothing counts as held any more.
    void forget() {
        if (!tasks_.empty()) ++losses_;
        tasks_.clear();
    }

    void acquire(task_locks& task, const lock_event& event) {
        std::string_view rest = event.payload;
        held_lock lock;
        const std::string_view address = rest.substr(0, rest.find(' '));
        const auto instance =
            number_of(address.starts_with("0x") ? address.substr(2) : address, 16);
        if (!instance) return;
        rest = trimmed(rest.substr(std::min(address.size() + 1, rest.size())));
        for (bool* const flag : {&lock.is_try, &lock.is_read}) {
            const std::string_view word = flag == &lock.is_try ? "try " : "read ";
            *flag = rest.starts_with(word);
            if (*flag) rest.remove_prefix(word.size());
        }
        rest = trimmed(rest);
        if (rest.empty()) return;
        lock.instance = *instance;
        lock.which = into_.order.class_of(rest);
        if (lock.which == lock_graph::none) return;
        into_.order.count_acquire(lock.which, !lock.is_read);
        if (!lock.is_read) drop_stale(task, lock.instance);
        if (!lock.is_try) add_edges(task, lock, event.when);
        if (task.held.size() >= depth_limit) task.held.clear();
        task.held.push_back(lock);
        task.waits_since_ns = 0;
        task.is_at_acquire = !lock.is_try;
        if (tasks_.size() > tasks_limit) drop_idle();
    }

    /// A task cannot acquire what it has for writing: the release is missing in the trace.
    static void drop_stale(task_locks& task, std::uint64_t instance) {
        std::erase_if(task.held, [&](const held_lock& each) {
            return each.instance == instance && !each.is_read;
        });
    }

    /// The lock is ordered behind those held, down to the first one that was waited for: behind
    /// what is below, that one is already. Between it and here only tries and readers are skipped.
    void add_edges(const task_locks& task, const held_lock& lock, std::string_view when) {
        for (std::size_t i = task.held.size(); i-- > 0;) {
            const held_lock& outer = task.held[i];
            if (outer.which != lock.which) {
                const unsigned mode = (outer.is_read ? 2U : 0U) + (lock.is_read ? 1U : 0U);
                into_.order.add(outer.which, lock.which, static_cast<std::uint8_t>(1U << mode), 1,
                                when);
            }
            if (!outer.is_try && !outer.is_read) break;
        }
    }

    void release(task_locks& task, const lock_event& event) {
        const std::string_view address = event.payload.substr(0, event.payload.find(' '));
        const auto instance =
            number_of(address.starts_with("0x") ? address.substr(2) : address, 16);
        task.is_at_acquire = false;
        task.waits_since_ns = 0;
        if (!instance) return;
        for (std::size_t i = task.held.size(); i-- > 0;) {
            if (task.held[i].instance != *instance) continue;
            task.held.erase(task.held.begin() + static_cast<std::ptrdiff_t>(i));
            return;
        }
    }

    void begin_wait(task_locks& task, const lock_event& event) {
        const std::size_t lock = waited_lock(task, event);
        // Both events of one wait may be there: lock_contended and contention_begin.
        if (task.waits_since_ns == 0) {
            if (lock != no_lock) ++into_.contended[lock].waits;
            task.waits_since_ns = event.at_ns;
            task.waited_lock = lock;
        }
    }

    void end_wait(task_locks& task, const lock_event& event) {
        if (task.waits_since_ns != 0 && task.waited_lock != no_lock &&
            event.at_ns >= task.waits_since_ns) {
            const std::uint64_t took = event.at_ns - task.waits_since_ns;
            contended_lock& lock = into_.contended[task.waited_lock];
            lock.total_ns += took;
            lock.longest_ns = std::max(lock.longest_ns, took);
        }
        task.waits_since_ns = 0;
        task.is_at_acquire = false;
    }

    static constexpr std::size_t no_lock = ~std::size_t{0};

    /// The lock of a wait: what the task has just wanted, or the address of the event.
    std::size_t waited_lock(const task_locks& task, const lock_event& event) {
        std::string name;
        const bool is_known = task.is_at_acquire && !task.held.empty() &&
                              !is_annotation(into_.order.at(task.held.back().which).name);
        if (is_known)
            name = into_.order.at(task.held.back().which).name;
        else if (event.name == event_name::contended)
            name = trimmed(behind(event.payload, " "));
        else
            name = "lock at " + std::string(event.payload.substr(0, event.payload.find(' '))) +
                   " (" + std::string(between(event.payload, "flags=", ")")) + ")";
        if (const auto known = by_name_.find(name); known != by_name_.end()) return known->second;
        if (by_name_.size() >= locks_limit) return no_lock;
        into_.contended.push_back({name, 0, 0, 0, {}});
        by_name_.emplace(std::move(name), into_.contended.size() - 1);
        return into_.contended.size() - 1;
    }

    void drop_idle() {
        std::erase_if(tasks_, [](const auto& each) { return each.second.held.empty(); });
        if (tasks_.size() > tasks_limit / 2) forget();
    }

    /// Finds the tasks whose last event is a request for a lock that another task holds.
    void find_hangs() {
        report dump;
        dump.reader = "trace";
        for (const auto& [key, task] : tasks_) {
            if (task.held.empty()) continue;
            task_state state{task.task, {}, {}, {}, true};
            for (std::size_t i = 0; i < task.held.size(); ++i) {
                const held_lock& lock = task.held[i];
                const std::string& name = into_.order.at(lock.which).name;
                const acquire_mode mode = lock.is_read ? acquire_mode::read : acquire_mode::write;
                if (i + 1 == task.held.size() && task.is_at_acquire)
                    state.waits.push_back({name, std::to_string(lock.instance), {}, {}, mode});
                else
                    state.held.push_back({name, std::to_string(lock.instance), {}, {}, {}, mode});
            }
            dump.tasks.push_back(std::move(state));
        }
        std::sort(dump.tasks.begin(), dump.tasks.end(),
                  [](const task_state& a, const task_state& b) { return a.task < b.task; });
        tell_instances_apart(dump, [this](const std::string& number) {
            return mark_of(number_of(number).value_or(0));
        });
        std::vector<report> found;
        add_waits(dump, found);
        for (report& each : found)
            if (each.kind != "hung") into_.hangs.push_back(std::move(each));
    }

    observations& into_;
    std::unordered_map<std::uint64_t, task_locks> tasks_;
    std::unordered_map<std::string, std::size_t> by_name_;  // of `contended`
    std::size_t losses_ = 0;
};

/// Reads the traces of wedge itself (docs/traces.md), as the events that ftrace would have printed.
class step_events final : public lock_events {
public:
    step_events(observations& into, std::string file) : lock_events(into), file_(std::move(file)) {}

    void take(std::string_view text) override {
        ++line_;
        if (text.empty() || text.starts_with('#') || text.starts_with("wedge-trace")) return;
        const std::string_view first = next_word(text);
        if (first == "thread" || first == "lock" || first == "site") return take_name(first, text);
        const auto thread = number_of(first);
        const std::string_view word = next_word(text);
        std::string_view lock = next_word(text);
        if (word == "wait" || word == "wake") lock = next_word(text);
        if (!thread || !number_of(lock))
            fail("expected THREAD STEP OBJECT [@SITE], as docs/traces.md says");
        count_event();
        const std::string_view place = next_word(text);
        made_.pid = *thread + 1;  // 0 is the idle task of ftrace
        made_.task = named(threads_, first, "thread ");
        made_.when = place.starts_with('@') ? named(sites_, place.substr(1), "place ") : place;
        step(word, lock);
    }

private:
    std::string mark_of(std::uint64_t instance) const override {
        return "#" + std::to_string(instance);
    }

    using names = std::unordered_map<std::string, std::string>;

    [[noreturn]] void fail(const std::string& why) const {
        throw trace_error(file_ + ":" + std::to_string(line_) + ": " + why);
    }
    static std::string_view next_word(std::string_view& text) {
        text = trimmed(text);
        const std::string_view word = text.substr(0, text.find(' '));
        text.remove_prefix(word.size());
        return word;
    }
    static const std::string& named(names& all, std::string_view number, const char* sort) {
        std::string key(number);
        std::string name = sort + key;
        return all.try_emplace(std::move(key), std::move(name)).first->second;
    }

    void take_name(std::string_view sort, std::string_view rest) {
        const std::string number(next_word(rest));
        if (sort == "thread") threads_[number] = trimmed(rest);
        if (sort == "site") sites_[number] = trimmed(rest);
        if (sort != "lock") return;
        next_word(rest);  // the kind
        std::string_view name = trimmed(rest);
        // The stress runner adds the number of the lock to its class.
        if (name.ends_with("#" + number)) name.remove_suffix(number.size() + 1);
        locks_[number] = name;
    }

    void step(std::string_view word, std::string_view lock) {
        const bool reads = word.ends_with("read");
        if (word == "request" || word == "request_read") {
            send(event_name::acquire, lock, reads, "");
            requested_[made_.pid] = lock;
        } else if (word == "try_acquire" || word == "try_read") {
            send(event_name::acquire, lock, reads, "try ");
        } else if (word == "acquire" || word == "read" || word == "timed_acquire" ||
                   word == "timed_read" || word == "wake") {
            if (requested_[made_.pid] != lock) send(event_name::acquire, lock, reads, "");
            requested_[made_.pid].clear();
            send(event_name::acquired, lock, reads, "");
        } else if (word == "release" || word == "wait" || word == "give_up") {
            requested_[made_.pid].clear();
            send(event_name::release, lock, reads, "");
        } else if (std::find(std::begin(trace_op_names), std::end(trace_op_names), word) ==
                   std::end(trace_op_names)) {
            fail("unknown step '" + std::string(word) + "'; docs/traces.md lists the steps");
        }
    }
    void send(event_name name, std::string_view lock, bool reads, const char* tried) {
        std::array<char, 24> address{};
        std::snprintf(address.data(), address.size(), "0x%llx ",
                      static_cast<unsigned long long>(number_of(lock).value_or(0)));
        payload_ = address.data();
        payload_ += tried;
        if (reads) payload_ += "read ";
        payload_ += named(locks_, lock, "lock ");
        made_.name = name;
        made_.payload = payload_;
        handle(made_);
    }

    const std::string file_;
    std::size_t line_ = 0;
    names threads_;
    names locks_;
    names sites_;
    std::unordered_map<std::uint64_t, std::string> requested_;  // by thread, without an answer yet
    lock_event made_;
    std::string payload_;
};

}  // namespace

std::unique_ptr<trace_reader> event_reader(observations& into) {
    return std::make_unique<lock_events>(into);
}

std::unique_ptr<trace_reader> step_reader(observations& into, std::string file) {
    return std::make_unique<step_events>(into, std::move(file));
}

}  // namespace wedge::explain
