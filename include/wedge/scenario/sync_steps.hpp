// Runs the statements on locks, tickets, and things to wait for.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>

#include "wedge/core/contexts.hpp"
#include "wedge/lock/assert.hpp"
#include "wedge/scenario/frame.hpp"

namespace wedge::scenario::detail {

/// The steps of the running task. The derived class runs the blocks within them.
class sync_steps {
public:
    site at(const declaration& what) const { return {file_, interned(what.name), what.at.line}; }

protected:
    /// @param walk  the order pass; null: everything really happens
    sync_steps(const std::string& path, const object_uses& uses, world& in, walk_guide* walk)
        : uses_(uses), world_(in), walk_(walk) {
        // The last component only: a signature must not depend on where the tool was called.
        file_ = interned(path.substr(path.find_last_of('/') + 1));
    }
    ~sync_steps() = default;

    virtual flow run(const block& in, frame& here) = 0;
    /// See `neighbours`.
    virtual void step_if_interrupted(site where) = 0;

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
        const bool is_taken = lock.acquire(terms_of(each, here, lock));
        if (is_taken) here.who.taken.push_back({&lock, nullptr});
        if (!each.blocks.empty()) return branch(each, here, is_taken);
        if (is_taken) return flow::next;
        here.failed_at = each.at;
        return flow::failed;
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
        if (current().runtime->is_giving_up()) return flow::given_up;
        release_taken(here, where, mine.ticket);
        mine.ticket->end(where);
        here.tickets.erase(each.on.name);
        return left;
    }

    /// Waits for a fence, a completion or a condition. Runs the block if the wait gave up.
    flow wait(const statement& each, frame& here) {
        const site where = at(here, each);
        const bool is_over =
            each.is_timed ? wait_timed(each, here, where) : (wait_long(each, here, where), true);
        return is_over || each.blocks.empty() ? flow::next : run(each.blocks[0], here);
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
        here.who.path.push_back(std::uint64_t{before.irqs_are_off} | before.bh_is_off * 2U);
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

    const object_uses& uses_;
    world& world_;
    walk_guide* const walk_;

private:
    // Under control the time does not matter.
    static constexpr std::chrono::milliseconds some_time{1};

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

    const char* file_ = "";
};

}  // namespace wedge::scenario::detail
