// Runs the blocks of a scenario over the ordinary locks and roles, statement by statement.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "wedge/core/contexts.hpp"
#include "wedge/core/scopes.hpp"
#include "wedge/lock/assert.hpp"
#include "wedge/scenario/frame.hpp"
#include "wedge/scenario/words.hpp"

namespace wedge::scenario {

/// What a statement needs of other parts of the scenario.
class neighbours {
public:
    virtual void join(const std::string& thread, site where) = 0;
    virtual void queue(const std::string& work, site where) = 0;
    virtual void flush(const std::string& work, site where) = 0;
    virtual void cancel(const std::string& work, site where) = 0;
    virtual void drop(const std::string& work, site where) = 0;
    /// Runs the notifiers, as an invalidation does.
    virtual void invalidate(site where) = 0;
    /// Takes a step if there are handlers, so that they may come before a statement that is no
    /// step.
    virtual void step_if_interrupted(site where) = 0;
    /// Called on real threads before each statement: handlers may come here.
    virtual void before_statement(actor& who) = 0;

protected:
    ~neighbours() = default;
};

/// Runs the statements of blocks in the current task.
class interpreter {
public:
    /// @param walk  the order pass; null: everything really happens
    interpreter(const document& all, const object_uses& uses, world& in, neighbours& beside,
                walk_guide* walk)
        // The last component only: a signature must not depend on where the tool was called.
        : file_(detail::interned(all.path.substr(all.path.find_last_of('/') + 1))),
          uses_(uses),
          world_(in),
          walk_(walk),
          beside_(beside) {
        for (const declaration& each : all.all)
            if (has_body(each.what)) names_[&each] = detail::interned(each.name);
    }

    site at(const declaration& what) const {
        return {file_, detail::interned(what.name), what.at.line};
    }

    /// Runs a thread's or another block to its end.
    void run(const declaration& what, actor& who) {
        frame here(who, names_.find(&what)->second);
        if (run(what.body, here) == flow::failed) release_taken(here, failure_of(here));
    }

private:
    // Under control the time does not matter, and real threads have to meet.
    static constexpr std::chrono::milliseconds some_time{1};

    using flow = detail::flow;
    using frame = detail::frame;
    using open_ticket = detail::open_ticket;

    flow run(const block& in, frame& here) {
        std::vector<std::uint64_t>& path = here.who.path;
        std::vector<std::uint64_t>& ahead = here.who.ahead;
        const std::uint64_t outside = ahead.empty() ? 0 : ahead.back();
        const object_uses::use_of_block& known = uses_.in_block(in);
        path.push_back(0);
        ahead.push_back(0);
        flow left = flow::next;
        for (std::size_t i = 0; i < in.body.size() && left == flow::next; ++i) {
            path.back() = known.number << 32 | i;
            ahead.back() = outside | known.objects_from[i];
            left = begin_statement(here.who) ? run(in.body[i], here) : flow::given_up;
        }
        path.pop_back();
        ahead.pop_back();
        return left;
    }

    flow run(const statement& each, frame& here) {
        const site where = at(here, each);
        switch (each.what) {
            case action::acquire: return acquire(each, here);
            case action::release: release(each, here); break;
            case action::might_lock:
            case action::downgrade:
            case action::assert_held:
            case action::pin:
            case action::unpin:
            case action::init:
            case action::sync: hygiene(each, here); break;
            case action::ticket_begin: begin_ticket(each, here); break;
            case action::ticket_done:
            case action::ticket_end: finish_ticket(each, here); break;
            case action::transaction: return transaction(each, here);
            case action::alloc: return alloc(each, here);
            case action::free:
                if (walk_ == nullptr)
                    world_.zone().free(static_cast<std::uint32_t>(each.number), where);
                break;
            case action::might_alloc: world_.zone().might_alloc(flags_of(each.gfp), where); break;
            case action::reclaim: reclaim(where); break;
            case action::scope: {
                constexpr std::uint8_t bits[] = {scope::nofs, scope::noio, scope::noreclaim};
                const alloc_scope inside(bits[each.scopes]);
                return run(each.blocks[0], here);
            }
            case action::set: change(each, here, false); break;
            case action::add: change(each, here, true); break;
            case action::assert_that: assert_that(each, here); break;
            case action::if_that: return branch(each, here, holds(each, here));
            case action::if_held: return branch(each, here, sees_held(each, here));
            case action::while_that: return loop(each, here);
            case action::until: until(each, here); break;
            case action::yield: step_on(step::yield, nullptr, nullptr, where); break;
            case action::progress: progress(); break;
            case action::break_loop: return flow::broken;
            case action::return_run: return flow::returned;
            case action::repeat: return repeat(each, here);
            case action::choose:
                return run(each.blocks[wedge::choose(static_cast<std::uint32_t>(each.blocks.size()),
                                                     "a branch")],
                           here);
            case action::wait: return wait(each, here);
            case action::notify: notify(each, here); break;
            case action::wake: wake(each, here); break;
            case action::get: return get(each, here);
            case action::put: put(each, here); break;
            case action::signal: signal(each, here); break;
            case action::signalling: return signalling(each, here);
            case action::complete: complete(each, here); break;
            case action::down: world_.semaphore(each.on.name).down(where); break;
            case action::up: world_.semaphore(each.on.name).up(where); break;
            case action::join: beside_.join(each.on.name, where); break;
            case action::queue:
            case action::arm: beside_.queue(each.on.name, where); break;
            case action::drop: beside_.drop(each.on.name, where); break;
            case action::flush: beside_.flush(each.on.name, where); break;
            case action::cancel: beside_.cancel(each.on.name, where); break;
            case action::invalidate: beside_.invalidate(where); break;
            case action::interrupt: return interrupt(each, here);
            case action::mask: mask(each, here); break;
            case action::preempt: preempt(each, here); break;
        }
        return flow::next;
    }

    void reclaim(site where) {
        if (walk_ != nullptr)
            world_.zone().might_alloc(gfp_kernel, where);
        else
            world_.zone().reclaim(gfp_kernel, where);
    }
    void step_if_interrupted(site where) { beside_.step_if_interrupted(where); }

    /// Begins a statement; returns false if the execution is given up. That ends runs without
    /// visible steps too.
    bool begin_statement(actor& who) {
        if (walk_ != nullptr) {
            walk_->count_statement();
            return true;
        }
        const task& self = current();
        if (self.runtime == nullptr) beside_.before_statement(who);
        return !wedge::detail::is_giving_up(self);
    }

    site at(const frame& here, const statement& each) const {
        return {file_, here.function, each.at.line};
    }

    /// Answers a test: in the order pass both ways.
    static bool answered() { return wedge::choose(2, "both branches") == 0; }

    /// Runs the first block, or the block after `else`, if there is one.
    flow branch(const statement& each, frame& here, bool is_first) {
        if (is_first) return run(each.blocks[0], here);
        return each.blocks.size() > 1 ? run(each.blocks[1], here) : flow::next;
    }

    modelled_lock& lock_of(const statement& each, const frame& here) {
        return world_.lock(each.on, here.who.copy);
    }

    flow acquire(const statement& each, frame& here) {
        if (!each.ticket.name.empty()) return acquire_with_ticket(each, here);
        modelled_lock& lock = lock_of(each, here);
        if (each.is_read && lock.sequence() != nullptr) return read_sequence(each, here, lock);
        const bool is_taken = lock.acquire(terms_of(each, here, lock));
        if (is_taken) here.who.taken.push_back({&lock, nullptr});
        if (!each.blocks.empty()) return branch(each, here, is_taken);
        if (is_taken) return flow::next;
        here.failed_at = each.at;
        return flow::failed;
    }
    /// Reads by a block, which runs again if a writer has come.
    flow read_sequence(const statement& each, frame& here, modelled_lock& lock) {
        const site where = at(here, each);
        if (walk_ != nullptr) {
            lock.might_acquire(mode::recursive_shared, where);
            return run(each.blocks[0], here);
        }
        modelled_sequence& count = *lock.sequence();
        for (;;) {
            const std::uint32_t seen = begin_read(count, where);
            here.who.reads.emplace_back(&count, seen);
            const flow left = run(each.blocks[0], here);
            const bool is_over = left != flow::next || !count.read_retry(seen, where);
            here.who.reads.pop_back();
            if (is_over) return left;
            if (!begin_statement(here.who)) return flow::given_up;
        }
    }
    /// Begins a read. On real threads handlers may come meanwhile, since the reader spins: a
    /// handler that writes lets it read again.
    static std::uint32_t begin_read(modelled_sequence& count, site where) {
        task& self = current();
        if (self.sleeps != nullptr) self.sleeps->begin_sleep(self);
        const std::uint32_t seen = count.read_begin(where);
        if (self.sleeps != nullptr) self.sleeps->end_sleep();
        return seen;
    }
    void release(const statement& each, frame& here) {
        modelled_lock& lock = lock_of(each, here);
        lock.release(at(here, each));
        std::vector<hold>& taken = here.who.taken;
        for (std::size_t i = taken.size(); i-- > here.first;) {
            if (taken[i].lock != &lock) continue;
            taken.erase(taken.begin() + static_cast<std::ptrdiff_t>(i));
            break;
        }
    }
    /// Releases what this run took, or a ticket's objects among it, last one first.
    static void release_taken(frame& here, site where, const ww_ticket* only = nullptr) {
        std::vector<hold>& taken = here.who.taken;
        for (std::size_t i = taken.size(); i-- > here.first;) {
            if (only != nullptr && taken[i].ticket != only) continue;
            // Until the step is taken, the task may still do it: see scenario_subject::may_do.
            taken[i].lock->release(where);
            taken.erase(taken.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
    site failure_of(const frame& here) const { return {file_, here.function, here.failed_at.line}; }
    bool is_held(const statement& each, const frame& here) {
        return current().held.find(lock_of(each, here).identity().instance()) != nullptr;
    }
    void hygiene(const statement& each, const frame& here) {
        modelled_lock& lock = lock_of(each, here);
        const site where = at(here, each);
        switch (each.what) {
            case action::might_lock: might_lock(lock, mode::exclusive, where); break;
            case action::downgrade: lock.downgrade(where); break;
            case action::assert_held:
                step_if_interrupted(where);
                assert_held(lock, where);
                break;
            case action::pin: wedge::pin(lock, where); break;
            case action::unpin: wedge::unpin(lock, where); break;
            case action::init: initialise(lock, where); break;
            default: lock.sync(where); break;
        }
    }

    void begin_ticket(const statement& each, frame& here) {
        here.tickets[each.on.name] = {
            &world_.begin_ticket(uses_.ticket_class(each), at(here, each)),
            each.what == action::transaction};
    }
    void finish_ticket(const statement& each, frame& here) {
        const site where = at(here, each);
        const bool is_done = each.what == action::ticket_done;
        const auto open = here.tickets.find(each.on.name);
        if (open == here.tickets.end()) {  // not begun on this path, which the checker reports
            const lock_class unknown(("ticket " + each.on.name).c_str(), {.never_waits = true});
            const event_kind what = is_done ? event_kind::ticket_done : event_kind::ticket_end;
            wedge::detail::emit(current(),
                                {.kind = what, .class_id = unknown.id(), .where = where});
        } else if (is_done) {
            open->second.ticket->done(where);
        } else {
            open->second.ticket->end(where);
        }
    }
    flow transaction(const statement& each, frame& here) {
        const site where = at(here, each);
        begin_ticket(each, here);
        open_ticket mine = here.tickets[each.on.name];
        flow left = run(each.blocks[0], here);
        while (left == flow::restarted && here.restarted == mine.ticket) {
            release_taken(here, where, mine.ticket);
            open_ticket& open = here.tickets[each.on.name];
            open.contended->wound_wait()->lock_slow(*mine.ticket, where);
            here.who.taken.push_back({open.contended, mine.ticket});
            left = run(each.blocks[0], here);
        }
        if (wedge::detail::is_giving_up(current())) return flow::given_up;
        // While it releases, a run that ends here is in another state than one that goes on.
        here.who.path.push_back(static_cast<std::uint64_t>(left));
        release_taken(here, where, mine.ticket);
        here.who.path.pop_back();
        mine.ticket->end(where);
        here.tickets.erase(each.on.name);
        return left;
    }

    /// Takes a reference. Returns `failed` if a try without branches finds none.
    flow get(const statement& each, frame& here) {
        wedge::refcount& count = world_.refcount(each.on.name);
        const site where = at(here, each);
        bool is_taken = true;
        if (walk_ != nullptr)
            is_taken = !each.is_tried || answered();
        else if (each.is_tried)
            is_taken = count.get_unless_zero(where);
        else
            with_place(where, [&] { count.get(where); });
        if (!each.blocks.empty()) return branch(each, here, is_taken);
        if (is_taken) return flow::next;
        here.failed_at = each.at;
        return flow::failed;
    }
    /// Drops a reference. In the order pass each put may be the last one; a release body that runs
    /// already does not run once more.
    void put(const statement& each, frame& here) {
        wedge::refcount& count = world_.refcount(each.on.name);
        const site where = at(here, each);
        const declaration& of = *uses_.names().task(each.on.name);
        const auto release = [&] { run(of, here.who); };
        if (walk_ == nullptr) return with_place(where, [&] { count.put(release, where); });
        count.might_put(where);
        if (!count.is_released_here() && answered()) count.run_release(release, where);
    }
    template <class Do>
    static void with_place(site where, Do act) {
        try {
            act();
        } catch (const std::logic_error& wrong) {
            throw error(wedge::to_string(where) + ": " + wrong.what());
        }
    }

    /// Waits for a fence, a completion, a condition or a wait queue. Runs the block if the wait
    /// gave up.
    flow wait(const statement& each, frame& here) {
        const site where = at(here, each);
        const bool is_over = each.has_test           ? wait_until_true(each, here, where)
                             : each.is_interruptible ? wait_for_signal(each, where)
                             : each.is_timed         ? wait_timed(each, here, where)
                                                     : (wait_long(each, here, where), true);
        return is_over || each.blocks.empty() ? flow::next : run(each.blocks[0], here);
    }
    /// States that a task which signals is waited for here, if any task declares that it signals.
    void touch_signalling(site where) {
        if (uses_.needs_signalling()) world_.signalling().touch(where);
    }
    bool wait_for_signal(const statement& each, site where) {
        wedge::completion& done = *world_.find_completion(each.on.name);
        if (walk_ == nullptr) return done.wait_interruptible(where);
        done.wait(where);
        return answered();
    }
    bool wait_until_true(const statement& each, frame& here, site where) {
        wedge::wait_queue& queue = *world_.find_wait_queue(each.on.name);
        const bool may_end = each.is_timed || each.is_interruptible;
        touch_signalling(where);
        if (walk_ != nullptr) {
            queue.might_wait(where);
            walk_->waits_for_wake(each.on.name, !each.is_timed, where);
            return !may_end || answered();
        }
        const auto is_true = [&] { return compare(each, here); };
        if (each.is_timed) return queue.wait_for(some_time, is_true, where);
        if (each.is_exclusive && each.is_interruptible)
            return queue.wait_exclusive_interruptible(is_true, where);
        if (each.is_interruptible) return queue.wait_interruptible(is_true, where);
        each.is_exclusive ? queue.wait_exclusive(is_true, where) : queue.wait(is_true, where);
        return true;
    }
    void wake(const statement& each, const frame& here) {
        if (walk_ != nullptr) return walk_->wakes(each.on.name, at(here, each));
        wedge::wait_queue& queue = *world_.find_wait_queue(each.on.name);
        each.is_all ? queue.wake_up_all(at(here, each)) : queue.wake_up(at(here, each));
    }
    void notify(const statement& each, const frame& here) {
        wedge::condition& on = world_.condition(each.on.name);
        each.is_all ? on.notify_all(at(here, each)) : on.notify_one(at(here, each));
    }
    void complete(const statement& each, const frame& here) {
        wedge::completion& on = *world_.find_completion(each.on.name);
        each.is_all ? on.complete_all(at(here, each)) : on.complete(at(here, each));
    }
    void signal(const statement& each, const frame& here) {
        world_.find_fence(each.on.name)->signal(at(here, each));
    }
    flow signalling(const statement& each, frame& here) {
        const signalling_section section(world_.signalling(), at(here, each));
        return run(each.blocks[0], here);
    }

    flow interrupt(const statement& each, frame& here) {
        const site where = at(here, each);
        step_if_interrupted(where);
        const context_state& before = current().contexts;
        here.who.path.push_back(std::uint64_t{before.irqs_are_off} | before.bh_depth * 2U |
                                before.preempt_depth * 32U);
        const in_context inside(each.is_hard ? context::hardirq : context::softirq,
                                each.is_threaded, where);
        const flow left = run(each.blocks[0], here);
        if (left != flow::given_up) step_if_interrupted(where);
        here.who.path.pop_back();
        return left;
    }
    void mask(const statement& each, frame& here) {
        constexpr void (*steps[2][2])(site) = {{&bh_off, &bh_on}, {&irqs_off, &irqs_on}};
        step_if_interrupted(at(here, each));
        steps[each.is_hard ? 1 : 0][each.is_on ? 1 : 0](at(here, each));
    }
    void preempt(const statement& each, frame& here) {
        step_if_interrupted(at(here, each));
        each.is_on ? preempt_on() : preempt_off();
    }

    wedge::detail::acquire_terms terms_of(const statement& each, const frame& here,
                                          const modelled_lock& lock) {
        wedge::detail::acquire_terms terms{.how = lock.mode_of(each.is_read, each.is_recursive),
                                           .subclass = static_cast<std::uint8_t>(each.number),
                                           .where = at(here, each)};
        if (each.is_tried) terms.with = terms.with | flags::tried;
        if (each.is_timed) terms.with = terms.with | flags::timed;
        if (each.has_subclass) terms.with = terms.with | flags::subclassed;
        if (!each.other.name.empty()) {
            terms.with = terms.with | flags::nest;
            terms.payload = world_.lock(each.other, here.who.copy).identity().instance();
        }
        return terms;
    }

    flow acquire_with_ticket(const statement& each, frame& here) {
        const auto known = here.tickets.find(each.ticket.name);
        modelled_lock& lock = lock_of(each, here);
        const site where = at(here, each);
        if (known == here.tickets.end()) {  // no ticket yet, as the checker says of it
            lock.acquire({.with = flags::ticketed, .where = where});
            here.who.taken.push_back({&lock, nullptr});
            return flow::next;
        }
        open_ticket& open = known->second;
        ww_mutex& object = *lock.wound_wait();
        const bool is_held = open.ticket->holds(object);
        const bool has_else = !each.blocks.empty();
        if (walk_ != nullptr)  // a transaction backs off once at most in the order pass
            walk_->may_back_off = has_else || (open.restarts && open.contended == nullptr);
        if (each.is_slow) {
            object.lock_slow(*open.ticket, where);
        } else if (object.lock(*open.ticket, where) == ww_result::back_off) {
            if (has_else) return run(each.blocks[0], here);
            if (!open.restarts) return flow::next;
            open.contended = &lock;
            here.restarted = open.ticket;
            return flow::restarted;
        }
        if (!is_held) here.who.taken.push_back({&lock, open.ticket});
        return flow::next;
    }

    void wait_long(const statement& each, const frame& here, site where) {
        if (wedge::fence* const fence = world_.find_fence(each.on.name)) {
            world_.signalling().touch(where);
            fence->wait(where);
        } else if (wedge::completion* const done = world_.find_completion(each.on.name)) {
            done->wait(where);
        } else {
            world_.condition(each.on.name).wait(world_.lock(each.other, here.who.copy), where);
        }
    }
    bool wait_timed(const statement& each, const frame& here, site where) {
        if (wedge::fence* const fence = world_.find_fence(each.on.name)) {
            world_.signalling().touch(where);
            return fence->wait_for(some_time, where);
        }
        if (wedge::completion* const done = world_.find_completion(each.on.name))
            return done->wait_for(some_time, where);
        return world_.condition(each.on.name)
            .wait_for(world_.lock(each.other, here.who.copy), some_time, where);
    }

    static gfp flags_of(const gfp_flags& flags) {
        constexpr gfp bases[] = {gfp_kernel, gfp_nofs, gfp_noio, gfp_nowait, gfp_atomic};
        constexpr gfp modifiers[] = {gfp::noretry, gfp::retry_mayfail, gfp::nofail, gfp::nolockdep};
        gfp all = bases[static_cast<std::size_t>(flags.base)];
        for (std::size_t i = 0; i < std::size(modifiers); ++i)
            if ((flags.modifiers >> i & 1U) != 0) all = all | modifiers[i];
        return all;
    }
    flow alloc(const statement& each, frame& here) {
        const gfp asked = flags_of(each.gfp);
        const site where = at(here, each);
        bool is_given = true;
        if (walk_ == nullptr) {
            is_given = world_.zone().alloc(static_cast<std::uint32_t>(each.number), asked, where);
        } else {
            world_.zone().might_alloc(asked, where);
            if (!each.blocks.empty()) is_given = answered();
        }
        if (is_given || each.blocks.empty()) return flow::next;
        return run(each.blocks[0], here);
    }

    /// Takes a visible step that touches the counters and does nothing. For two shared counters
    /// only the footprint of a step that touches everything fits.
    static void step_on(step what, counter* a, counter* b, site where, mode how = mode::exclusive) {
        task& self = current();
        if (self.runtime == nullptr) {
            if (what == step::yield) std::this_thread::yield();
            return;
        }
        if (a != nullptr && a->is_local) a = nullptr;
        if (b != nullptr && b->is_local) b = nullptr;
        if (a == nullptr) std::swap(a, b);
        operation next{.what = what, .how = how, .where = where};
        if (a != nullptr) next.lock = &a->identity;
        if (b != nullptr && b != a) next.what = step::spawn;
        self.runtime->perform(self, next);
    }
    counter* counter_of(const operand& from) {
        return from.counter.empty() ? nullptr : &world_.number(from.counter);
    }
    std::int64_t value_of(const std::string& name, const counter& from, const frame& here) const {
        if (!from.is_local) return from.value.load(std::memory_order_relaxed);
        const auto own = here.who.locals.find(name);
        if (own != here.who.locals.end()) return own->second;
        return from.value.load(std::memory_order_relaxed);
    }
    std::int64_t value(const operand& from, const frame& here) {
        if (from.counter.empty()) return from.number;
        return value_of(from.counter, world_.number(from.counter), here);
    }

    void change(const statement& each, frame& here, bool is_sum) {
        counter& target = world_.number(each.on.name);
        step_on(step::access, &target, counter_of(each.right), at(here, each));
        const std::unique_lock<std::mutex> alone = world_.turn();
        const std::int64_t by = value(each.right, here);
        const std::int64_t now = is_sum ? sum(value_of(each.on.name, target, here), by) : by;
        if (target.is_local)
            here.who.locals[each.on.name] = now;
        else
            target.value.store(now, std::memory_order_relaxed);
    }
    /// Adds. Counters stay within their range, since they could double forever.
    static std::int64_t sum(std::int64_t a, std::int64_t b) noexcept {
        constexpr std::int64_t most = std::int64_t{1} << 60;
        const std::int64_t all = a + b;
        return all > most ? most : all < -most ? -most : all;
    }

    /// @param what  the visible step: of memory, or a yield that looks at it
    bool compare(const statement& each, frame& here, step what = step::access) {
        step_on(what, counter_of(each.left), counter_of(each.right), at(here, each), mode::shared);
        const std::unique_lock<std::mutex> alone = world_.turn();
        return is_true(each, value(each.left, here), value(each.right, here));
    }
    static bool is_true(const statement& each, std::int64_t a, std::int64_t b) noexcept {
        switch (each.compared) {
            case comparison::equal: return a == b;
            case comparison::unequal: return a != b;
            case comparison::less: return a < b;
            case comparison::greater: break;
        }
        return a > b;
    }
    bool holds(const statement& each, frame& here) {
        if (walk_ == nullptr) return compare(each, here);
        return is_constant(each) ? is_true(each, each.left.number, each.right.number) : answered();
    }
    static bool is_constant(const statement& each) noexcept {
        return each.left.counter.empty() && each.right.counter.empty();
    }
    bool sees_held(const statement& each, frame& here) {
        if (walk_ != nullptr) return answered();
        step_if_interrupted(at(here, each));
        return is_held(each, here);
    }
    void assert_that(const statement& each, frame& here) {
        if (walk_ != nullptr || compare(each, here)) return;
        throw error("the assertion " + text_of_test(each) + " at " +
                    wedge::to_string(at(here, each)) + " does not hold");
    }

    flow loop(const statement& each, frame& here) {
        constexpr unsigned walked = 2;  // 0, 1 and 2 times
        for (unsigned i = 0; walk_ == nullptr || i < walked; ++i) {
            if (!holds(each, here)) return flow::next;
            const flow left = run(each.blocks[0], here);
            if (left == flow::broken) return flow::next;
            if (left != flow::next) return left;
            if (!begin_statement(here.who)) return flow::given_up;
        }
        if (is_constant(each)) walk_->never_ends();
        return flow::next;
    }
    void until(const statement& each, frame& here) {
        if (walk_ != nullptr && is_constant(each) &&
            !is_true(each, each.left.number, each.right.number))
            walk_->never_ends();
        if (walk_ != nullptr) return;
        while (!compare(each, here, step::yield) && begin_statement(here.who)) continue;
    }
    /// Runs a loop. A round without a visible step counts as a step, so that every run is bounded.
    flow repeat(const statement& each, frame& here) {
        constexpr std::int64_t walked = 2;
        const std::int64_t times = walk_ == nullptr ? each.number : std::min(each.number, walked);
        flow left = flow::next;
        for (std::int64_t i = 0; i < times && left == flow::next; ++i) {
            here.who.path.push_back(static_cast<std::uint64_t>(i));
            left = run(each.blocks[0], here);
            if (left == flow::next) {
                if (!begin_statement(here.who))
                    left = flow::given_up;
                else if (!has_visible(each.blocks[0]))
                    step_on(step::yield, nullptr, nullptr, at(here, each));
            }
            here.who.path.pop_back();
        }
        return left == flow::broken ? flow::next : left;
    }
    /// Returns whether every way through the block has a visible step, by a rough look.
    bool has_visible(const block& in) const {
        return std::any_of(in.body.begin(), in.body.end(), [&](const statement& each) {
            if (each.what == action::release)
                return uses_.names().object(each.on.name)->kind != lock_sort::map;
            return detail::row_of(each.what).has(detail::traits::visible);
        });
    }

    const char* const file_;
    const object_uses& uses_;
    world& world_;
    walk_guide* const walk_;
    neighbours& beside_;
    std::map<const declaration*, const char*> names_;  // of blocks, for sites
};

}  // namespace wedge::scenario
