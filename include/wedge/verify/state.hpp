// The states of a scenario in its second meaning, and its locks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "wedge/verify/script.hpp"

namespace wedge::verify {

struct contexts {
    int hard = 0, soft = 0;
    bool irq_is_off = false;
    int bh_off = 0;  ///< how often softirqs were switched off; 15 at most
    bool admits(bool is_hard) const {
        return !irq_is_off && (is_hard || (hard == 0 && soft == 0 && bh_off == 0));
    }
    auto operator<=>(const contexts&) const = default;
};
/// How far an acquire, a wait or an allocation has come.
enum class phase : std::uint8_t {
    fresh,
    queued,
    sleeping,
    woken,
    gave_up,       ///< a wait for a condition wants its lock again
    gives_way,     ///< a transaction releases its objects, one by one
    contended,     ///< then takes the one that it did not get
    queued_again,  ///< and queues for it
    passed,        ///< an allocation has made a pass of reclaim
    last_look,     ///< it looks at the free pages for the last time
    counted,       ///< a `try get` has seen a number of references
    unbroken,      ///< no signal ends the wait for a completion
    broken,        ///< a signal ends it
    yields,        ///< it fails, but must not
};
enum class leaving : std::uint8_t { nothing, loop, run, failed };
/// A block that is being run by another one, or on top of it.
struct frame {
    std::size_t back;    ///< the statement at which the other block goes on
    std::size_t joined;  ///< how many steps of its statement were taken
    std::size_t taken;   ///< the number of locks that the other block had taken
    bool is_handler = false;
    phase waits = phase::fresh;  ///< how far its statement has come there
    // Of what a handler has interrupted.
    leaving leaves = leaving::nothing;
    bool is_ending = false;
    auto operator<=>(const frame&) const = default;
};

/// Where a task stands: before the word `at`, which is a visible step.
struct task {
    std::size_t at = 0,
                joined = 0;  ///< of a `join`: the copies whose end it has seen; of a sequence
                             ///< count: the steps that it has taken; of a wait for a condition:
                             ///< whether it takes its lock for reading
    phase waits = phase::fresh;
    leaving leaves = leaving::nothing;
    bool is_done = false, has_woken = false, is_ending = false;
    std::size_t age = 0;  ///< of its ticket, among those that are begun; 1: the oldest, 0: none
    bool is_wait_die = false;
    std::vector<std::int64_t> rounds, locals;
    std::vector<std::size_t> taken;
    /// The sequence counts that it reads, and whether a writer has come meanwhile.
    std::vector<std::pair<std::size_t, bool>> readings;
    std::vector<frame> frames;
    std::vector<contexts> outer;
    contexts in;
    auto operator<=>(const task&) const = default;
};
struct use {
    std::size_t task;  ///< in a queue: see `waiter`
    bool is_shared;
    unsigned depth = 1;
    bool has_ticket = false;
    bool may_wound = false;   ///< of a waiter: its ticket had objects
    bool is_wounded = false;  ///< of a holder
    auto operator<=>(const use&) const = default;
};
struct lock {
    std::vector<use> holders, queue;
    auto operator<=>(const lock&) const = default;
};
struct state {
    std::vector<task> tasks;
    std::vector<lock> locks;
    std::vector<std::vector<std::size_t>> sleepers;  ///< by condition; see `waiter`
    std::vector<std::int64_t> counts, counters;
    auto operator<=>(const state&) const = default;
};

/// Answers what a scenario leaves open.
class chooser {
public:
    virtual ~chooser() = default;
    virtual std::size_t choose(std::size_t n) = 0;  ///< returns a number below n
};

/// A state, and the task in it that is examined: its operands and locks.
class standing {
public:
    state now;
    const script& program;
    chooser& answers;
    const bool is_alone;   ///< one task by itself: every test and every try is answered both ways
    std::size_t self = 0;  ///< the task

    standing(const script& of, chooser& asked, bool alone)
        : program(of), answers(asked), is_alone(alone) {}

    task& me() { return now.tasks[self]; }
    /// The task in a queue, with how many handlers are on top of it there: those may queue too.
    static constexpr std::size_t waiters_apart = 4096;
    std::size_t depth() {
        return static_cast<std::size_t>(std::count_if(me().frames.begin(), me().frames.end(),
                                                      [](const frame& f) { return f.is_handler; }));
    }
    std::size_t waiter() { return self + depth() * waiters_apart; }
    phase& phase_of(std::size_t waiter) {
        task& one = now.tasks[waiter % waiters_apart];
        std::size_t below = waiter / waiters_apart;
        for (frame& each : one.frames)
            if (each.is_handler && below-- == 0) return each.waits;
        return one.waits;
    }
    const std::string& word_at(std::size_t at) const { return program.words[at].text; }
    const std::string& kind(std::size_t lock) const { return program.locks[lock].kind; }

    // Operands. These functions move `at` past them.
    std::size_t lock_of(std::size_t& at) {
        const object& named = program.named(at++);
        std::size_t index = 0;
        if (program.is(at, "[")) {
            const bool is_self = program.is(++at, "self");
            if (is_self) index = program.tasks[self].copy;
            if (is_self) at += program.is(at + 1, "+") ? 2 : 1;
            if (program.is_number(at)) index += static_cast<std::size_t>(program.number(at++));
            ++at;
        }
        return named.first + index % named.count;
    }
    std::int64_t& counter(std::size_t at) {
        const std::size_t which = program.named(at).first;
        return program.is_local[which] ? me().locals[which] : now.counters[which];
    }
    std::int64_t value(std::size_t at) {
        return program.is_number(at) ? program.number(at) : counter(at);
    }
    bool test(std::size_t at) {
        if (is_alone) return answers.choose(2) == 0;
        const std::int64_t a = value(at), b = value(at + 2);
        const std::string& how = word_at(at + 1);
        return how == "==" ? a == b : how == "!=" ? a != b : how == "<" ? a < b : a > b;
    }
    /// Moves past the words that say how a lock is taken. Returns whether `wanted` is among them.
    bool skip_terms(std::size_t& at, const char* wanted) {
        bool is_there = false;
        for (; is_among(word_at(at), "recursive nest subclass timed timeout");) {
            is_there = is_there || program.is(at, wanted);
            const bool is_nest = program.is(at, "nest"), is_subclass = program.is(at, "subclass");
            ++at;
            if (is_nest) lock_of(at);
            if (is_subclass) ++at;
        }
        return is_there;
    }
    bool is_timed(std::size_t at) { return program.is(at, "timeout") || skip_terms(at, "timed"); }

    // Locks.
    bool has_queue(std::size_t lock) const {
        return is_among(kind(lock), "rwsem qrwlock ww_mutex sequence");
    }
    bool holds(std::size_t lock) const {
        const std::vector<use>& all = now.locks[lock].holders;
        return std::any_of(all.begin(), all.end(), [&](const use& u) { return u.task == self; });
    }
    bool passes_queue(std::size_t lock, bool is_shared, bool is_recursive) {
        const bool is_interrupt = me().in.hard != 0 || me().in.soft != 0;
        return is_shared && (is_recursive || (kind(lock) == "qrwlock" && is_interrupt));
    }
    bool can_acquire(std::size_t which, bool is_shared, bool passes) {
        const lock& one = now.locks[which];
        if (is_alone) return true;
        if (kind(which) == "ww_mutex") {
            const bool is_queued = std::any_of(one.queue.begin(), one.queue.end(),
                                               [&](const use& u) { return u.task == waiter(); });
            return one.holders.empty() && (!is_queued || one.queue[0].task == waiter());
        }
        if (!one.holders.empty() && !is_shared)
            return kind(which) == "recursive_mutex" && holds(which);
        for (const use& each : one.holders)
            if (!each.is_shared) return false;
        for (const use& each : one.queue) {
            if (passes || each.task == waiter()) return true;
            if (!is_shared || !each.is_shared) return false;
        }
        return one.queue.empty();
    }
    bool lock_is_enabled(std::size_t at, const std::string& what) {
        const std::size_t which = lock_of(++at);
        if (what == "sync" && me().waits == phase::queued) return true;
        if (kind(which) == "map") return can_acquire(which, what != "sync", true);
        if (me().waits == phase::fresh && has_queue(which)) return true;
        const bool is_shared = what == "read";
        return is_timed(at) ||
               can_acquire(which, is_shared,
                           passes_queue(which, is_shared, skip_terms(at, "recursive")));
    }
    void acquire(std::size_t which, bool is_shared) {
        hold(which, is_shared);
        if (!program.words[me().at].is_role) me().taken.push_back(which);
    }
    void hold(std::size_t which, bool is_shared) {
        lock& one = now.locks[which];
        forget(one);
        if (kind(which) == "recursive_mutex" && !one.holders.empty() && holds(which))
            ++one.holders.front().depth;
        else
            one.holders.push_back({self, is_shared});
        std::sort(one.holders.begin(), one.holders.end());
    }
    bool is_queued(std::size_t which) {
        const std::vector<use>& all = now.locks[which].queue;
        return std::any_of(all.begin(), all.end(),
                           [&](const use& u) { return u.task == waiter(); });
    }
    /// Returns whether the task holds the lock for reading.
    bool reads(std::size_t which) const {
        const std::vector<use>& all = now.locks[which].holders;
        return std::any_of(all.begin(), all.end(),
                           [&](const use& u) { return u.task == self && u.is_shared; });
    }
    void forget(lock& one) {
        std::erase_if(one.queue, [&](const use& each) { return each.task == waiter(); });
    }
    void drop(std::size_t which) {
        std::vector<use>& all = now.locks[which].holders;
        const auto mine =
            std::find_if(all.begin(), all.end(), [&](const use& u) { return u.task == self; });
        if (mine == all.end()) {
            if (all.empty() && !is_alone) return;
            program.refuse(me().at, "a task unlocks what it does not hold");
        }
        if (--mine->depth == 0) all.erase(mine);
    }
    void release(std::size_t which) {
        drop(which);
        forget_taken(which);
    }
    void forget_taken(std::size_t which) {
        std::vector<std::size_t>& taken = me().taken;
        const std::size_t first = me().frames.empty() ? 0 : me().frames.back().taken;
        for (std::size_t i = taken.size(); i-- > first;)
            if (taken[i] == which)
                return static_cast<void>(
                    taken.erase(taken.begin() + static_cast<std::ptrdiff_t>(i)));
    }

    // Where a task goes on.
    void move(std::size_t at) {
        me().at = at;
        me().joined = 0;
        me().waits = phase::fresh;
    }
    /// Enters the block at `at`, or moves past it, where another block may follow `else`. Without a
    /// block, a failed try ends the run.
    void branch(std::size_t at, bool is_first) {
        if (!program.is(at, "{")) {
            move(at);
            if (!is_first) me().leaves = leaving::failed;
        } else if (is_first) {
            move(at + 1);
        } else {
            at = program.words[at].match + 1;
            move(program.is(at, "else") ? at + 2 : at);
        }
    }
    // Wait queues.
    void change_queue(std::size_t at) {
        std::vector<use>& queue = now.locks[program.named(at + 1).first].queue;
        if (program.is(at, "delist")) {
            std::erase_if(queue, [&](const use& u) { return u.task == waiter(); });
            return move(at + 2);
        }
        const bool is_exclusive = program.is(at + 2, "last");
        queue.insert(is_exclusive ? queue.end() : queue.begin(), {waiter(), is_exclusive});
        move(at + 3);
    }
    bool is_listed(std::size_t at) {
        const std::vector<use>& queue = now.locks[program.named(at).first].queue;
        return std::any_of(queue.begin(), queue.end(),
                           [&](const use& u) { return u.task == waiter(); });
    }
    /// Takes all waiters out of a queue, or all but the exclusive ones behind the first. Returns
    /// whether there was one.
    bool rouse(std::size_t at) {
        bool has_one = false;
        const bool is_all = program.is(at + 1, "all");
        return std::erase_if(now.locks[program.named(at).first].queue, [&](const use& u) {
                   return is_all || !u.is_shared || !std::exchange(has_one, true);
               }) != 0;
    }

    /// Moves past a block that has ended, and past the alternatives that are not run.
    void pass(std::size_t at) {
        while (is_among(word_at(at), "else or")) at = program.words[at + 1].match + 1;
        move(at);
    }
    void call(const std::string& name, std::size_t back) {
        me().frames.push_back({back, 0, me().taken.size()});
        move(program.bodies.at(name) + 1);
    }
    /// On top of what the task is about to do.
    void interrupt(std::size_t handler) {
        task& one = me();
        one.frames.push_back(
            {one.at, one.joined, one.taken.size(), true, one.waits, one.leaves, one.is_ending});
        one.leaves = leaving::nothing;
        one.is_ending = false;
        enter(program.is_hard[handler]);
        move(program.bodies.at(program.handlers[handler]) + 1);
    }
    void end_frame() {
        const frame last = me().frames.back();
        me().frames.pop_back();
        if (me().taken.size() > last.taken) me().taken.resize(last.taken);
        move(last.back);
        me().waits = last.waits;
        if (!last.is_handler) return;
        leave();
        me().joined = last.joined;
        me().leaves = last.leaves;
        me().is_ending = last.is_ending;
    }
    void switch_softirqs(bool is_off) {
        int& times = me().in.bh_off;
        times = is_off ? std::min(times + 1, 15) : std::max(times - 1, 0);
    }
    void enter(bool is_hard) {
        me().outer.push_back(me().in);
        ++(is_hard ? me().in.hard : me().in.soft);
        if (is_hard)
            me().in.irq_is_off = true;
        else
            switch_softirqs(true);
    }
    void leave() {
        me().in = me().outer.back();
        me().outer.pop_back();
    }

    /// Returns whether a wait for a condition has begun.
    static bool is_asleep(phase waits) {
        return waits == phase::sleeping || waits == phase::woken || waits == phase::gave_up;
    }
    /// Whether a handler may come on top of a task that stands before its next step.
    bool lets_in(const task& one, bool is_hard) const {
        if (one.is_done || !one.in.admits(is_hard) || program.is(one.at, "interrupt")) return false;
        if (one.is_ending || one.leaves != leaving::nothing) return true;
        if (program.is(one.at, "read") && one.joined != 0) return false;
        if (program.is(one.at, "sync")) return one.waits == phase::fresh;
        const bool is_whole = program.is(one.at - 1, "whole") ||
                              (program.is(one.at - 1, "idle") && program.is(one.at - 2, "whole"));
        return !is_whole || is_asleep(one.waits);
    }
    std::vector<std::size_t> victims(bool is_hard) const {
        std::vector<std::size_t> all;
        for (std::size_t i = 0; i < now.tasks.size(); ++i)
            if (lets_in(now.tasks[i], is_hard)) all.push_back(i);
        return all;
    }

    /// Returns whether a round of `repeat` has a visible step, by a rough look. A round without one
    /// counts as one step.
    bool has_visible(std::size_t open) const {
        for (std::size_t i = open + 1; i < program.words[open].match; ++i) {
            const std::string& what = word_at(i);
            if (what == "{") i = program.words[i].match;
            if (is_among(what, "set add while until yield notify signal complete up put wake") ||
                (is_among(what, "assert if") && !program.is(i + 1, "held")) ||
                (what == "unlock" && kind(program.named(i + 1).first) != "map"))
                return true;
        }
        return false;
    }

    /// Returns whether the lock is a map without waiters, whose sections no task can notice.
    bool is_unseen(std::size_t lock) const {
        return kind(lock) == "map" && !program.synced.contains(lock - program.locks[lock].index);
    }
};

}  // namespace wedge::verify
