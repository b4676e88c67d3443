// A condition variable over any instrumented lock.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "wedge/lock/guard.hpp"
#include "wedge/lock/interruptible.hpp"

namespace wedge {

/// Like std::condition_variable_any, for a lock of wedge, a wedge::guard of it, or a
/// std::unique_lock or std::shared_lock of it. Under control its waits are explored: which waiter
/// is notified is a recorded choice, and time is virtual.
///
/// A wait releases one hold of the lock, for reading or for writing, and takes the lock again like
/// that.
template <class Level = default_level>
class basic_condition {
public:
    basic_condition(site where = site::current())
        : identity_(lock_kind::condition, lock_class::at(where)) {}
    explicit basic_condition(const char* name)
        : identity_(lock_kind::condition, lock_class(name)) {}
    explicit basic_condition(lock_class cls) : identity_(lock_kind::condition, cls) {}
    basic_condition(const basic_condition&) = delete;
    basic_condition& operator=(const basic_condition&) = delete;

    /// Blocks until notified. May wake up without a notification.
    template <class Lock>
    void wait(Lock& lock, site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        auto& real = underlying(lock);
        task& self = current();
        if (self.runtime != nullptr) [[unlikely]] {
            detail::controlled_wait(self, identity_, real.identity(), false, where);
        } else {
            detail::report_wait(self, event_kind::wait, identity_, where);
            relock with{*this, real, detail::mode_of_hold(self, real.identity()), where};
            native_.wait(with);
            detail::report_wait(self, event_kind::wake, identity_, where);
        }
    }
    template <class Lock, std::predicate Predicate>
    void wait(Lock& lock, Predicate is_ready, site where = site::current()) {
        while (!is_ready()) wait(lock, where);
    }

    /// Blocks until notified or until that time; returns false if it gave up. Under control it may
    /// give up whenever the engine chooses.
    template <class Lock, class Clock, class Duration>
    bool wait_until(Lock& lock, std::chrono::time_point<Clock, Duration> end,
                    site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        auto& real = underlying(lock);
        task& self = current();
        if (self.runtime != nullptr) [[unlikely]]
            return detail::controlled_wait(self, identity_, real.identity(), true, where);
        detail::report_wait(self, event_kind::wait, identity_, where, flags::timed);
        relock with{*this, real, detail::mode_of_hold(self, real.identity()), where};
        const bool is_notified = native_.wait_until(with, end) == std::cv_status::no_timeout;
        detail::report_wait(self, event_kind::wake, identity_, where);
        return is_notified;
    }
    template <class Lock, class Rep, class Period>
    bool wait_for(Lock& lock, std::chrono::duration<Rep, Period> at_most,
                  site where = site::current()) {
        return wait_until(lock, std::chrono::steady_clock::now() + at_most, where);
    }
    /// Blocks until the predicate is true or until that time.
    ///
    /// @return what the predicate returns in the end
    template <class Lock, class Clock, class Duration, std::predicate Predicate>
    bool wait_until(Lock& lock, std::chrono::time_point<Clock, Duration> end, Predicate is_ready,
                    site where = site::current()) {
        while (!is_ready())
            if (!wait_until(lock, end, where)) return is_ready();
        return true;
    }
    template <class Lock, class Rep, class Period, std::predicate Predicate>
    bool wait_for(Lock& lock, std::chrono::duration<Rep, Period> at_most, Predicate is_ready,
                  site where = site::current()) {
        return wait_until(lock, std::chrono::steady_clock::now() + at_most, is_ready, where);
    }
    /// Blocks until notified; returns false if a signal came first (Linux:
    /// wait_event_interruptible). In a live program no signal comes; under control that is a
    /// choice.
    template <class Lock>
    bool wait_interruptible(Lock& lock, site where = site::current()) {
        if (detail::is_interrupted())
            return detail::controlled_wait(current(), identity_, underlying(lock).identity(), true,
                                           where);
        return wait(lock, where), true;
    }

    /// States that the task may wait here (rule 22).
    void might_wait(site where = site::current()) const {
        detail::might_sleep(current(), lock_class::from_id(identity_.class_id()), where);
    }

    /// For types that wait for the condition under a lock of their own: states that a wait begins
    /// here, or that waiting tasks are woken, under control (rule 19d).
    void note_wait(flags with, site where) { note(event_kind::wait, where, with); }
    void note_notify(site where) { note(event_kind::notify, where, flags::none); }

    void notify_one(site where = site::current()) { notify(step::notify_one, where); }
    void notify_all(site where = site::current()) { notify(step::notify_all, where); }

private:
    template <class Lock>
    static constexpr bool can_be_shared = requires(Lock& lock, site where) {
        lock.lock_shared(where);
        lock.unlock_shared(where);
    };
    template <class Lock>
    struct relock {
        const basic_condition& of;
        Lock& real;
        mode how;
        site where;
        void lock() WEDGE_NO_THREAD_SAFETY {
            if (sleep_listener* const sleeps = current().sleeps) sleeps->end_sleep();
            if constexpr (can_be_shared<Lock>) {
                if (is_shared(how)) return real.lock_shared(where);
            }
            real.lock(where);
        }
        void unlock() WEDGE_NO_THREAD_SAFETY {
            if constexpr (can_be_shared<Lock>)
                is_shared(how) ? real.unlock_shared(where) : real.unlock(where);
            else
                real.unlock(where);
            task& self = current();
            {
                const unheard_section unheard(self, is_internal(real.identity()));
                of.might_wait(where);
            }
            if (self.sleeps != nullptr) self.sleeps->begin_sleep(self);
        }
    };
    template <class Lock>
    relock(const basic_condition&, Lock&, mode, site) -> relock<Lock>;

    static bool is_internal(const lock_identity& lock) {
        return lock_class::from_id(lock.class_id()).options().is_internal;
    }

    template <class Lock>
    static auto& underlying(Lock& lock) {
        if constexpr (requires { lock.mutex()->identity(); })
            return *lock.mutex();
        else if constexpr (requires { lock.lock().identity(); })
            return lock.lock();
        else
            return lock;
    }

    void note(event_kind what, site where, flags with) {
        task& self = current();
        if (self.runtime == nullptr || self.runtime->is_giving_up()) return;
        detail::adopt_if_foreign(self, identity_);
        detail::report_wait(self, what, identity_, where, with);
    }

    void notify(step what, site where) {
        task& self = current();
        if (self.runtime != nullptr) [[unlikely]] {
            detail::adopt_if_foreign(self, identity_);
            detail::report_wait(self, event_kind::notify, identity_, where);
            self.runtime->perform(self, {.what = what, .condition = &identity_, .where = where});
            return;
        }
        detail::report_wait(self, event_kind::notify, identity_, where);
        if (what == step::notify_one)
            native_.notify_one();
        else
            native_.notify_all();
    }

    std::condition_variable_any native_;
    lock_identity identity_;
};

/// Level 0: that of the standard library, with equal calls.
template <>
class basic_condition<level_constant<level::off>> {
public:
    basic_condition() = default;
    explicit basic_condition(const char*) {}
    explicit basic_condition(lock_class) {}
    basic_condition(const basic_condition&) = delete;
    basic_condition& operator=(const basic_condition&) = delete;

    template <class Lock>
    void wait(Lock& lock, site = {}) WEDGE_NO_THREAD_SAFETY {
        native_.wait(underlying(lock));
    }
    template <class Lock, std::predicate Predicate>
    void wait(Lock& lock, Predicate is_ready, site = {}) {
        while (!is_ready()) wait(lock);
    }
    template <class Lock, class Clock, class Duration>
    bool wait_until(Lock& lock, std::chrono::time_point<Clock, Duration> end, site = {}) {
        return native_.wait_until(underlying(lock), end) == std::cv_status::no_timeout;
    }
    template <class Lock, class Rep, class Period>
    bool wait_for(Lock& lock, std::chrono::duration<Rep, Period> at_most, site = {}) {
        return native_.wait_for(underlying(lock), at_most) == std::cv_status::no_timeout;
    }
    template <class Lock, class Clock, class Duration, std::predicate Predicate>
    bool wait_until(Lock& lock, std::chrono::time_point<Clock, Duration> end, Predicate is_ready,
                    site = {}) {
        return native_.wait_until(underlying(lock), end, is_ready);
    }
    template <class Lock, class Rep, class Period, std::predicate Predicate>
    bool wait_for(Lock& lock, std::chrono::duration<Rep, Period> at_most, Predicate is_ready,
                  site = {}) {
        return native_.wait_for(underlying(lock), at_most, is_ready);
    }
    template <class Lock>
    bool wait_interruptible(Lock& lock, site = {}) {
        return wait(lock), true;
    }
    void might_wait(site = {}) const {}
    void note_wait(flags, site) const noexcept {}
    void note_notify(site) const noexcept {}
    void notify_one(site = {}) { native_.notify_one(); }
    void notify_all(site = {}) { native_.notify_all(); }

private:
    template <class Lock>
    static auto& underlying(Lock& lock) {
        if constexpr (requires { lock.lock().try_lock(); })
            return lock.lock();
        else
            return lock;
    }

    std::condition_variable_any native_;
};

using condition = basic_condition<>;

}  // namespace wedge
