// A wait queue: tasks that wait until a predicate is true, and others that wake them.
#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <vector>

#include "wedge/core/hash.hpp"
#include "wedge/core/stage.hpp"
#include "wedge/lock/condition.hpp"
#include "wedge/lock/guard.hpp"
#include "wedge/lock/internal_mutex.hpp"
#include "wedge/lock/label.hpp"

namespace wedge {

/// Tasks that wait for a predicate (Linux: wait_queue_head_t, wait_event, wake_up).
///
/// A waiter joins the queue, looks at the predicate, and sleeps. After a wake-up it joins the queue
/// again. So a change of what the predicate reads, followed by a wake-up, is never lost. A change
/// without a wake-up is: the waiter sleeps on. The predicate runs in the waiter, without a lock of
/// the queue. It should read atomics, or take a spinlock.
///
///     wedge::wait_queue idle;
///     wedge::atomic<int> users;
///     idle.wait([&] { return users == 0; });   // one task
///     users.fetch_sub(1); idle.wake_up();      // another task
///
/// Waking never blocks, and is allowed in every context. Waits block. Under control a timed wait
/// may give up whenever the engine chooses.
template <class Level = default_level>
class basic_wait_queue {
public:
    explicit basic_wait_queue(label as = site::current()) : woken_(condition_of(as)) {}
    basic_wait_queue(const basic_wait_queue&) = delete;
    basic_wait_queue& operator=(const basic_wait_queue&) = delete;

    /// Blocks until the predicate is true (Linux: wait_event).
    template <std::predicate Predicate>
    void wait(Predicate is_true, site where = site::current()) {
        wait_with(
            is_true, false,
            [&](guard<lock_type>& held) {
                woken_.wait(held, where);
                return true;
            },
            where);
    }
    /// As `wait`, but a signal may end it (Linux: wait_event_interruptible). In a live program no
    /// signal comes; under control that is a choice.
    ///
    /// @return false: a signal came first
    template <std::predicate Predicate>
    bool wait_interruptible(Predicate is_true, site where = site::current()) {
        return wait_with(
            is_true, false,
            [&](guard<lock_type>& held) { return woken_.wait_interruptible(held, where); }, where);
    }
    /// As `wait`, but waits at most that long (Linux: wait_event_timeout).
    ///
    /// @return whether the predicate is true in the end
    template <class Rep, class Period, std::predicate Predicate>
    bool wait_for(std::chrono::duration<Rep, Period> at_most, Predicate is_true,
                  site where = site::current()) {
        const auto end = std::chrono::steady_clock::now() + at_most;
        stage_scope stage;
        const bool is_over = wait_with(
            is_true, false,
            [&](guard<lock_type>& held) { return woken_.wait_until(held, end, where); }, where,
            flags::timed);
        if (is_over) return true;
        stage.set(1);
        return is_true();
    }
    /// As `wait`, for one of several tasks that a single `wake_up` need not all wake (Linux:
    /// wait_event_exclusive).
    template <std::predicate Predicate>
    void wait_exclusive(Predicate is_true, site where = site::current()) {
        wait_with(
            is_true, true,
            [&](guard<lock_type>& held) {
                woken_.wait(held, where);
                return true;
            },
            where);
    }
    /// As `wait_exclusive`, but a signal may end it. The wake-up of a task that a signal has ended
    /// is lost, unless that task passes it on.
    ///
    /// @return false: a signal came first
    template <std::predicate Predicate>
    bool wait_exclusive_interruptible(Predicate is_true, site where = site::current()) {
        return wait_with(
            is_true, true,
            [&](guard<lock_type>& held) { return woken_.wait_interruptible(held, where); }, where);
    }

    /// States that the task may wait here (rule 22). Each wait does so by itself.
    void might_wait(site where = site::current()) const { woken_.might_wait(where); }

    /// Wakes all tasks that wait, but only the first one of those that wait exclusively.
    void wake_up(site where = site::current()) { wake(1, where); }
    void wake_up_all(site where = site::current()) { wake(all_, where); }

    /// Returns whether a task waits.
    bool is_active(site where = site::current()) {
        const guard held(lock_, where);
        return !queue_.empty();
    }

    /// Returns a hash of what the queue remembers in addition to its locks. Under control, between
    /// two steps.
    std::uint64_t state() const noexcept {
        std::uint64_t all = queue_.size();
        for (const waiter* each : queue_)
            all = combine(all, std::uint64_t{each->task} << 1 | std::uint64_t{each->is_exclusive});
        return all;
    }

private:
    using lock_type = detail::internal_mutex<Level>;
    static constexpr std::size_t all_ = static_cast<std::size_t>(-1);

    struct waiter {
        const bool is_exclusive;
        const std::uint32_t task;  ///< its ordinal
        bool is_woken = false;
    };

    /// A place in the queue, until a wake-up or the end of the block.
    class place {
    public:
        place(basic_wait_queue& of, waiter& who, site where) : of_(of), who_(who), where_(where) {
            const guard held(of_.lock_, where_);
            const auto at = who_.is_exclusive ? of_.queue_.end() : of_.queue_.begin();
            of_.queue_.insert(at, &who_);
            stage_.set(is_joined);
        }
        ~place() {
            const task& self = current();
            if (self.runtime != nullptr && self.runtime->is_giving_up()) {
                std::erase(of_.queue_, &who_);
                return;
            }
            if (is_in_) leave();
        }
        place(const place&) = delete;
        place& operator=(const place&) = delete;

        /// Sleeps until woken; returns false if `sleep` gave up.
        template <class Sleep>
        bool sleep_until_woken(Sleep sleep) {
            stage_.set(is_tested);
            guard held(of_.lock_, where_);
            while (!who_.is_woken) {
                if (sleep(held) || who_.is_woken)
                    continue;  // woken after it gave up, before the lock
                stage_.set(has_given_up);
                std::erase(of_.queue_, &who_);
                is_in_ = false;
                return false;
            }
            is_in_ = false;  // the wake-up has removed it
            return true;
        }

    private:
        /// How far the wait has come: what the pending step does not tell.
        enum : std::uint64_t { is_joined = 1, is_tested, is_leaving, has_given_up };

        void leave() {
            stage_.set(is_leaving);
            const guard held(of_.lock_, where_);
            std::erase(of_.queue_, &who_);
        }

        basic_wait_queue& of_;
        waiter& who_;
        const site where_;
        stage_scope stage_;
        bool is_in_ = true;
    };

    static auto condition_of(const label& as) {
        if constexpr (Level::value == level::off)
            return "";
        else
            return as.cls({.keeps_mutex = true});
    }

    template <class Predicate, class Sleep>
    bool wait_with(Predicate& is_true, bool is_exclusive, Sleep sleep, site where,
                   flags with = flags::none) {
        might_wait(where);
        if (is_true()) {
            woken_.note_wait(flags::tried | flags::timed, where);  // a wait that is over
            return true;
        }
        woken_.note_wait(with, where);
        do {
            waiter mine{is_exclusive, current().ordinal};
            place in(*this, mine, where);
            if (is_true()) return true;
            if (!in.sleep_until_woken(sleep)) return false;
        } while (!is_true());
        return true;
    }

    void wake(std::size_t exclusive_ones, site where) {
        woken_.note_notify(where);
        const guard held(lock_, where);
        bool is_any = false;
        std::erase_if(queue_, [&](waiter* each) {
            if (each->is_exclusive && exclusive_ones == 0) return false;
            if (each->is_exclusive) --exclusive_ones;
            is_any = each->is_woken = true;
            return true;
        });
        if (is_any) woken_.notify_all(where);
    }

    lock_type lock_;
    basic_condition<Level> woken_;
    std::vector<waiter*> queue_;  // those that wait exclusively are last; guarded by lock_
};

using wait_queue = basic_wait_queue<>;

}  // namespace wedge
