// A report about locks, as a reader found it in a text.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace wedge::explain {

/// How a lock was acquired. `sync` waits for all holders and holds nothing itself.
enum class acquire_mode { unknown, write, read, recursive_read, trylock, sync };

/// A lock as a report prints it, once.
struct lock_use {
    std::string name;  ///< of the class, with `#2` and `/1` if it has them
    std::string
        instance;       ///< an address or a number that tells instances apart; empty: not printed
    std::string usage;  ///< between braces, as `+.+.`; empty: not printed
    std::string wait_type;  ///< as `3:3`; empty: not printed
    std::string at;         ///< the place of the acquire; empty: not printed
    acquire_mode mode = acquire_mode::unknown;
};

/// A task waits for a lock, or for something else, that a task holds.
struct wait_for {
    std::string lock;      ///< empty: not known
    std::string instance;  ///< as in `lock_use`
    std::string owner;     ///< the task that holds it; empty: not known
    std::string at;        ///< the function that waits
    acquire_mode mode = acquire_mode::unknown;
};

/// A task, what it holds and what it waits for. In a dump of a hang there is an entry for each
/// task.
struct task_state {
    std::string task;            ///< as `comm/pid`, or the name or number of a thread
    std::vector<lock_use> held;  ///< in the order of the acquires
    std::vector<wait_for> waits;
    std::vector<std::string> stack;  ///< the innermost frame first
    bool is_held_known = false;  ///< the report says what it holds, if only that it holds nothing
};

/// `to` was acquired, or would be, while `from` was held.
struct cycle_edge {
    std::string from;
    std::string to;
    std::string task;                     ///< that did so; empty: the report does not say
    std::vector<std::string> stack;       ///< of the acquire of `to`, the innermost frame first
    std::vector<std::string> from_stack;  ///< of the acquire of `from`, if the report has it too
    acquire_mode mode = acquire_mode::unknown;       ///< of the acquire of `to`
    acquire_mode from_mode = acquire_mode::unknown;  ///< of the acquire of `from`
};

/// A report about locks. Empty texts and lists: the report does not say.
///
/// `kind` is a word of this list:
///   circular recursive inconsistent safe-unsafe irq-inversion wait-context bad-unlock
///   bad-contention held-freed user-return still-held nested sleeping rcu non-static-key
///   lock-depth chain-collision leaked-lock hung none
/// Rules that only wedge checks keep its words: ww-rule not-held pin-broken bad-downgrade.
/// A deadlock that has happened, of a dump of threads, is `circular`, or `recursive` if one thread
/// waits for itself. `hung` is a dump in which no cycle can be seen.
struct report {
    std::string kind = "none";
    std::string reader;   ///< the name of the reader that found it
    std::string version;  ///< of the kernel or of the tool
    std::string task;
    std::string new_lock;
    std::string held_lock;
    std::vector<std::string> cycle_locks;  ///< the acquired lock first
    std::vector<cycle_edge> edges;  ///< in the order of `cycle_locks`; the last one closes it
    std::vector<cycle_edge> uses;   ///< of one lock each, that conflict: in interrupts and outside
    std::string usage_states;       ///< as `SOFTIRQ-ON-W/IN-SOFTIRQ-W`
    std::string safe_context;  ///< of safe-unsafe and irq-inversion: HARDIRQ, SOFTIRQ, RECLAIM_FS
    std::string guard;         ///< a lock that each task of the cycle holds; empty: none is known
    std::string proved;  ///< by the tool, of its whole program: confirmed, refuted; empty: nothing
    std::vector<task_state> tasks;
    std::vector<lock_use> locks;       ///< what is known about each lock of the cycle
    std::vector<std::string> notes;    ///< more that the report says, in sentences
    bool complete = true;              ///< kind, task, locks and cycle are all there and readable
    std::vector<std::string> missing;  ///< in words; without these it may still be complete
    bool has_happened = false;         ///< tasks hang already; else it is a prediction
    std::size_t first_line = 0;        ///< in the input, from 1
    std::size_t last_line = 0;

    /// Says that a part is missing.
    void lacks(std::string what) {
        complete = false;
        missing.push_back(std::move(what));
    }
};

}  // namespace wedge::explain
