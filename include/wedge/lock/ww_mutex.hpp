// A wound/wait mutex: a ticket takes several in any order, and the younger ticket gives way.
#pragma once

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

#include "wedge/core/annotate.hpp"
#include "wedge/lock/controlled.hpp"
#include "wedge/lock/ww_class.hpp"

namespace wedge {

enum class ww_result : std::uint8_t {
    ok,
    already,      ///< the ticket holds it already; nothing has changed
    back_off,     ///< release all locks of the ticket, take this one by `lock_slow`, start again
    interrupted,  ///< a signal ended the wait
};

/// A mutex for which old tickets go before young ones, as in Linux's ww_mutex. Without a ticket it
/// is an ordinary mutex.
///
/// A ticket is told to give way where it would block while it holds a lock. It gets any lock that
/// is free at once. Waiters are served by age.
template <class Level = default_level>
class WEDGE_CAPABILITY("mutex") basic_ww_mutex {
public:
    explicit basic_ww_mutex(basic_ww_class<Level>& of)
        : of_(of), identity_(lock_kind::ww_mutex, of.locks()) {}
    basic_ww_mutex(const basic_ww_mutex&) = delete;
    basic_ww_mutex& operator=(const basic_ww_mutex&) = delete;

    [[nodiscard]] ww_result lock(basic_ww_ticket<Level>& ticket,
                                 site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        return take(&ticket, flags::ticketed, where);
    }
    /// As `lock`, but a signal may end the wait; under control that is a recorded choice.
    [[nodiscard]] ww_result lock_interruptible(
        basic_ww_ticket<Level>& ticket, site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        return take(&ticket, flags::ticketed | flags::interruptible, where);
    }
    /// Waits for the lock that the ticket backed off from, without backing off again. The ticket
    /// must hold no other lock.
    void lock_slow(basic_ww_ticket<Level>& ticket,
                   site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        take(&ticket, flags::ticketed | flags::slow, where);
    }
    /// As `lock_slow`, but a signal may end the wait.
    [[nodiscard]] ww_result lock_slow_interruptible(
        basic_ww_ticket<Level>& ticket, site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        return take(&ticket, flags::ticketed | flags::slow | flags::interruptible, where);
    }
    void lock(site where = site::current()) WEDGE_ACQUIRE() WEDGE_NO_THREAD_SAFETY {
        take(nullptr, flags::none, where);
    }
    /// Takes the lock without a ticket; returns false if a signal came first.
    bool lock_interruptible(site where = site::current())
        WEDGE_TRY_ACQUIRE(true) WEDGE_NO_THREAD_SAFETY {
        return take(nullptr, flags::interruptible, where) == ww_result::ok;
    }
    /// Takes the lock if it is free. Needs no ticket and never waits.
    bool try_lock(site where = site::current()) WEDGE_TRY_ACQUIRE(true) WEDGE_NO_THREAD_SAFETY {
        task& self = current();
        if (self.runtime != nullptr)
            return detail::controlled_acquire(self, identity_,
                                              {.with = flags::tried, .where = where});
        const detail::acquire_terms terms{.with = flags::tried, .where = where};
        const bool is_taken = !detail::must_fail(self, terms) && native_try(self, {});
        if (is_on && is_taken) detail::acquired(self, identity_, terms);
        if (is_on && !is_taken) detail::not_acquired(self, identity_, terms);
        return is_taken;
    }
    void unlock(site where = site::current()) WEDGE_RELEASE() WEDGE_NO_THREAD_SAFETY {
        task& self = current();
        // A task that does not hold the lock makes a mistake, and must not take it from the
        // holder's ticket.
        if (ticket_ != nullptr && (!is_on || self.held.find(identity_.instance()) != nullptr))
            std::exchange(ticket_, nullptr)->drop(*this);
        if (self.runtime != nullptr)
            return detail::controlled_release(self, identity_, mode::exclusive, where);
        if (is_on) detail::released(self, identity_, mode::exclusive, where);
        native_unlock(self);
    }

    lock_identity& identity() noexcept { return identity_; }
    const lock_identity& identity() const noexcept { return identity_; }

private:
    static constexpr bool is_on = Level::value != level::off;

    ww_result take(basic_ww_ticket<Level>* ticket, flags how, site where) {
        task& self = current();
        const ticket_terms mine =
            ticket != nullptr ? ticket->terms(has(how, flags::slow)) : ticket_terms{};
        const detail::acquire_terms terms{.with = how, .payload = mine.instance, .where = where};
        if (ticket != nullptr && ticket->holds(*this)) {
            if (is_on) detail::held_already(self, identity_, terms);
            return ww_result::already;
        }
        const bool is_controlled = self.runtime != nullptr;
        if (is_controlled && self.runtime->is_giving_up()) {
            self.runtime->perform(self, {.what = step::acquire, .lock = &identity_});
            return ww_result::ok;
        }
        if (is_on) detail::attempt(self, identity_, terms);
        const bool is_interrupted =
            is_controlled && has(how, flags::interruptible) && choose(2, "interrupted") != 0;
        const bool must_back_off = !is_controlled && mine.may_back_off &&
                                   self.failing_tickets != 0 &&
                                   self.random.below(1024) < self.failing_tickets;
        const bool is_taken = is_controlled ? perform(self, mine, is_interrupted, where)
                                            : !must_back_off && native_lock(self, ticket, mine);
        if (is_controlled && self.runtime->is_giving_up()) return ww_result::ok;
        if (is_taken) {
            if (is_on) detail::acquired(self, identity_, terms);
            if (is_controlled) detail::tsan_locked(self, identity_, terms);
            if (ticket != nullptr) add_to_ticket(self, *ticket);
            return ww_result::ok;
        }
        if (is_interrupted) {
            detail::not_acquired(self, identity_, terms);
            return ww_result::interrupted;
        }
        if (is_on) detail::told_to_back_off(self, identity_, terms);
        ticket->contended_ = this;
        return ww_result::back_off;
    }

    void add_to_ticket(task& self, basic_ww_ticket<Level>& ticket) {
        ticket_ = &ticket;
        ticket.held_.push_back(this);
        if (ticket.contended_ != this) return;
        ticket.contended_ = nullptr;
        if (is_on) detail::contended_is_taken(self, ticket.identity_.instance());
    }

    bool perform(task& self, const ticket_terms& mine, bool is_interrupted, site where) {
        const bool may_wound = mine.age != 0 && !mine.is_wait_die;
        if (may_wound) detail::adopt_if_foreign(self, of_.wounds_);
        return self.runtime->perform(self,
                                     {.what = is_interrupted ? step::try_acquire : step::acquire,
                                      .lock = &identity_,
                                      .condition = may_wound ? &of_.wounds_ : nullptr,
                                      .ticket = mine.age != 0 ? &mine : nullptr,
                                      .where = where});
    }

    /// Takes the native lock. The program may not rely on the monitor as synchronisation, so TSan
    /// hears of the lock alone.
    bool native_lock(task& self, basic_ww_ticket<Level>* ticket, const ticket_terms& mine) {
        sanitizer::tsan_lock::locking(&identity_, 0);
        bool is_taken = false;
        {
            const sanitizer::ignore_scope ours;
            spin_while_held();
            is_taken = wait_in_turn(self, ticket, mine);
        }
        sanitizer::tsan_lock::locked(
            &identity_,
            is_taken ? 0 : sanitizer::tsan_lock::try_lock | sanitizer::tsan_lock::try_lock_failed);
        return is_taken;
    }
    bool wait_in_turn(task& self, basic_ww_ticket<Level>* ticket, const ticket_terms& mine) {
        detail::ww_waiter me{self.ordinal, this};
        bool is_listed = false;
        std::unique_lock turn(of_.monitor_);
        ww_progress now{};
        for (;;) {
            const bool was_queued = state_.is_queued(self.ordinal);
            now = state_.ww_acquire(self.ordinal, mine, is_wounded(self, ticket));
            if (!was_queued || now != ww_progress::waits) wake_affected();
            if (now != ww_progress::waits) break;
            if (!std::exchange(is_listed, true)) of_.waiters_.add(me);
            turn.unlock();
            if (self.sleeps != nullptr) self.sleeps->begin_sleep(self);
            for (unsigned i = 0; i < spins && me.is_told.load(std::memory_order_acquire) == 0; ++i)
                detail::spin_pause();
            detail::futex_wait(me.is_told, 0);
            if (self.sleeps != nullptr) self.sleeps->end_sleep();
            turn.lock();
            me.is_told.store(0, std::memory_order_relaxed);
        }
        if (is_listed) of_.waiters_.remove(me);
        is_held_.store(state_.is_held(), std::memory_order_relaxed);
        return now == ww_progress::taken;
    }
    /// Waits a few microseconds for the holder. Most sections are shorter than a task's sleep.
    void spin_while_held() const noexcept {
        for (unsigned i = 0; i < spins && is_held_.load(std::memory_order_relaxed); ++i)
            detail::spin_pause();
    }
    /// Wakes the tasks that a change of the state may let go on: the first waiter if the lock is
    /// free, holders that were wounded and wait elsewhere, and with wait-die all waiters, since
    /// they compare themselves with each other.
    void wake_affected() {
        const bool is_free = !state_.is_held();
        const auto& queue = state_.queue();
        of_.waiters_.wake([&](const detail::ww_waiter& each) {
            if (each.lock == this)
                return of_.how_ == ww_algorithm::wait_die ||
                       (is_free && !queue.empty() && queue.front().task == each.task);
            return state_.is_wounded(each.task);
        });
    }
    bool native_try(task& self, const ticket_terms& mine) {
        constexpr unsigned tried = sanitizer::tsan_lock::try_lock;
        sanitizer::tsan_lock::locking(&identity_, tried);
        bool is_taken = false;
        {
            const sanitizer::ignore_scope ours;
            const std::lock_guard turn(of_.monitor_);
            is_taken = state_.can_acquire(self.ordinal, mode::exclusive);
            if (is_taken) {
                state_.ww_acquire(self.ordinal, mine, false);
                is_held_.store(true, std::memory_order_relaxed);
                wake_affected();
            }
        }
        sanitizer::tsan_lock::locked(
            &identity_, is_taken ? tried : tried | sanitizer::tsan_lock::try_lock_failed);
        return is_taken;
    }
    void native_unlock(task& self) {
        sanitizer::tsan_lock::unlocking(&identity_, 0);
        {
            const sanitizer::ignore_scope ours;
            const std::lock_guard turn(of_.monitor_);
            state_.release(self.ordinal);
            is_held_.store(state_.is_held(), std::memory_order_relaxed);
            wake_affected();
        }
        sanitizer::tsan_lock::unlocked(&identity_, 0);
    }
    static bool is_wounded(const task& self, const basic_ww_ticket<Level>* ticket) {
        return ticket != nullptr && std::any_of(ticket->held_.begin(), ticket->held_.end(),
                                                [&](const basic_ww_mutex* held) {
                                                    return held->state_.is_wounded(self.ordinal);
                                                });
    }

    static constexpr unsigned spins = 100;  // a few microseconds

    basic_ww_class<Level>& of_;
    std::atomic<bool> is_held_{false};  // in live programs, for `spin_while_held` alone
    lock_identity identity_;
    basic_ww_ticket<Level>* ticket_ = nullptr;  // the holder's ticket
    lock_state state_{lock_kind::ww_mutex};     // in live programs; guarded by the class's monitor
};

using ww_mutex = basic_ww_mutex<>;

/// Runs a body that takes locks under a ticket, as often as the ticket must back off. Backing off
/// releases all locks of the ticket, takes the contended one by the slow path, and starts the body
/// again. At the end all locks are released.
///
/// @param body  (ww_ticket&) -> ww_result; returns `back_off` when it is told to, and treats
///     `already` as `ok`
template <class Level, class Body>
ww_result transaction(basic_ww_class<Level>& of, Body body, site where = site::current()) {
    struct holds {
        basic_ww_ticket<Level> ticket;
        const site where;
        ~holds() { ticket.unlock_all(where); }
    } mine{basic_ww_ticket<Level>(of, where), where};
    for (;;) {
        const ww_result got = body(mine.ticket);
        if (got != ww_result::back_off) return got;
        basic_ww_mutex<Level>* const contended = mine.ticket.contended();
        mine.ticket.unlock_all(where);
        if (contended != nullptr) contended->lock_slow(mine.ticket, where);
    }
}

}  // namespace wedge
