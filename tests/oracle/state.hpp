// One state of a scenario: the place of each task, and all shared objects.
#pragma once

#include <cstdint>
#include <vector>

namespace oracle {

/// A lock that a task holds.
struct hold {
    int lock = 0;
    bool is_read = false;
    int run = 0;              ///< the depth of the run that took it, in the stack of the task
    bool has_ticket = false;  ///< the task took it with its ticket
};

/// A block that runs. A handler, a shrinker or a notifier runs on top of another one.
struct frame {
    int body = 0;
    int at = 0;                     ///< the instruction
    int phase = 0;                  ///< the progress of the instruction; 0: not begun
    int extra = 0;                  ///< data of the instruction
    bool is_giving_up = false;      ///< a bare `try` has failed: the run releases its locks
    std::vector<int> counts;        ///< of the enclosing `repeat`s
    std::vector<int> scopes;        ///< of the enclosing `scope`s
    std::vector<int> contexts;      ///< of the `hardirq { }`s that it is in: 1 hard, 0
                                    ///< soft; 2 and above: the masks before it
    std::vector<int> transactions;  ///< where each starts again
    std::vector<int> readings;  ///< the sequence counts that it reads, twice the lock each; odd:
                                ///< a writer came meanwhile
    int saved = -1;             ///< a handler: the masks before it
};

struct ticket {
    int name = -1;  ///< -1: none is begun
    int age = 0;    ///< a rank among the tickets that are begun, the oldest is 0
    bool is_wait_die = false;
    bool is_wounded = false;
};

struct task {
    std::vector<frame> stack;  ///< the one that runs is the last
    std::vector<hold> held;    ///< in the order of acquisition
    std::vector<std::int64_t> locals;
    bool is_done = false;
    bool irq_off = false;
    int bh_off = 0;       ///< how often, 15 at most
    int preempt_off = 0;  ///< likewise
    bool has_woken_spuriously = false;
    bool is_in_pass = false;  ///< of reclaim
    bool has_freed = false;   ///< in the pass that it is in
    ticket with;
};

struct queued {
    int task = 0;
    int run = 0;
    bool is_read = false;
    friend bool operator==(const queued&, const queued&) = default;
};

struct state {
    std::vector<task> tasks;
    std::vector<std::int64_t> counters;
    std::vector<std::vector<queued>> queues;    ///< by lock
    std::vector<std::int64_t> units;            ///< of semaphores and completions; -1: for all
    std::vector<std::vector<queued>> sleepers;  ///< by wait queue; `is_read` says exclusive
    std::vector<std::int64_t> references;       ///< by reference count
    std::vector<bool> signalled;                ///< by fence
    std::vector<bool> on_top;                   ///< by work: it will come on top of a task
    std::vector<bool> pending;                  ///< by work
    std::vector<bool> has_come;                 ///< by handler
    std::int64_t free_pages = 0;
    bool is_kswapd_woken = false;

    /// The whole state as numbers; two states are equal when these are.
    std::vector<int> numbers() const {
        std::vector<int> all;
        const auto add = [&](std::int64_t n) {
            all.push_back(static_cast<int>(n));
            all.push_back(static_cast<int>(n >> 32));
        };
        const auto put = [&](int n) { all.push_back(n); };
        const auto size = [&](const auto& of) { all.push_back(static_cast<int>(of.size())); };
        for (const task& t : tasks) {
            size(t.stack);
            for (const frame& f : t.stack) {
                for (const int n : {f.body, f.at, f.phase, f.extra, int{f.is_giving_up}, f.saved})
                    put(n);
                for (const auto* each :
                     {&f.counts, &f.scopes, &f.contexts, &f.transactions, &f.readings}) {
                    size(*each);
                    for (const int n : *each) put(n);
                }
            }
            size(t.held);
            for (const hold& h : t.held)
                for (const int n : {h.lock, int{h.is_read}, h.run, int{h.has_ticket}}) put(n);
            for (const std::int64_t n : t.locals) add(n);
            for (const bool b : {t.is_done, t.irq_off, t.has_woken_spuriously, t.is_in_pass,
                                 t.has_freed, t.with.is_wait_die, t.with.is_wounded})
                put(b);
            put(t.bh_off);
            put(t.preempt_off);
            put(t.with.name);
            put(t.with.age);
        }
        for (const std::int64_t n : counters) add(n);
        for (const auto* which : {&queues, &sleepers})
            for (const auto& queue : *which) {
                size(queue);
                for (const queued& q : queue)
                    for (const int n : {q.task, q.run, int{q.is_read}}) put(n);
            }
        for (const std::int64_t n : references) add(n);
        for (const std::int64_t n : units) add(n);
        for (const auto* flags : {&signalled, &on_top, &pending, &has_come})
            for (const bool b : *flags) put(b);
        add(free_pages);
        put(is_kswapd_woken);
        return all;
    }
};

}  // namespace oracle
