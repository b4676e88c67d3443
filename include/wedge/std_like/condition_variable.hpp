// The names of <condition_variable>, with the signatures of the standard.
#pragma once

#include <condition_variable>

#include "wedge/lock/condition.hpp"
#include "wedge/std_like/mutex.hpp"
#include "wedge/std_like/stop_token.hpp"
#include "wedge/std_like/thread_exit.hpp"

namespace wedge::std_like {

using std::cv_status;

/// As std::condition_variable. Under control a timed wait may give up whenever the engine chooses,
/// and which waiter is notified is a recorded choice.
class condition_variable {
public:
    condition_variable(site where = site::current()) : of_(where) {}
    condition_variable(const condition_variable&) = delete;
    condition_variable& operator=(const condition_variable&) = delete;

    void notify_one(site where = site::current()) { of_.notify_one(where); }
    void notify_all(site where = site::current()) { of_.notify_all(where); }

    void wait(unique_lock<mutex>& lock, site where = site::current()) { of_.wait(lock, where); }
    template <std::predicate Predicate>
    void wait(unique_lock<mutex>& lock, Predicate is_ready, site where = site::current()) {
        of_.wait(lock, std::move(is_ready), where);
    }
    template <class Clock, class Duration>
    cv_status wait_until(unique_lock<mutex>& lock,
                         const std::chrono::time_point<Clock, Duration>& end,
                         site where = site::current()) {
        return of_.wait_until(lock, end, where) ? cv_status::no_timeout : cv_status::timeout;
    }
    template <class Rep, class Period>
    cv_status wait_for(unique_lock<mutex>& lock, const std::chrono::duration<Rep, Period>& at_most,
                       site where = site::current()) {
        return wait_until(lock, std::chrono::steady_clock::now() + at_most, where);
    }
    template <class Clock, class Duration, std::predicate Predicate>
    bool wait_until(unique_lock<mutex>& lock, const std::chrono::time_point<Clock, Duration>& end,
                    Predicate is_ready, site where = site::current()) {
        return of_.wait_until(lock, end, std::move(is_ready), where);
    }
    template <class Rep, class Period, std::predicate Predicate>
    bool wait_for(unique_lock<mutex>& lock, const std::chrono::duration<Rep, Period>& at_most,
                  Predicate is_ready, site where = site::current()) {
        return of_.wait_for(lock, at_most, std::move(is_ready), where);
    }

private:
    condition of_;
};

/// As std::notify_all_at_thread_exit: the running thread keeps the lock to its end, and then
/// releases it and wakes all waiters.
inline void notify_all_at_thread_exit(condition_variable& condition, unique_lock<mutex> held,
                                      site where = site::current()) {
    mutex* const kept = held.release();
    parts::exit_scope::add([&condition, kept, where]() WEDGE_NO_THREAD_SAFETY {
        kept->unlock(where);
        condition.notify_all(where);
    });
}

/// As std::condition_variable_any: waits with any lock, also a shared one, and for a stop.
///
/// A waiter releases its lock under a mutex of this object, and a notification takes that mutex.
/// So no notification comes between the release and the wait.
class condition_variable_any {
public:
    condition_variable_any(site where = site::current()) : of_(where) {}
    condition_variable_any(const condition_variable_any&) = delete;
    condition_variable_any& operator=(const condition_variable_any&) = delete;

    void notify_one(site where = site::current()) {
        const guard held(gate_, where);
        of_.notify_one(where);
    }
    void notify_all(site where = site::current()) {
        const guard held(gate_, where);
        of_.notify_all(where);
    }

    template <class Lock>
    void wait(Lock& lock, site where = site::current()) {
        wait_unless([] { return false; }, lock, where,
                    [&](auto& held) {
                        of_.wait(held, where);
                        return true;
                    });
    }
    template <class Lock, std::predicate Predicate>
    void wait(Lock& lock, Predicate is_ready, site where = site::current()) {
        while (!is_ready()) wait(lock, where);
    }
    template <class Lock, class Clock, class Duration>
    cv_status wait_until(Lock& lock, const std::chrono::time_point<Clock, Duration>& end,
                         site where = site::current()) {
        const bool is_notified =
            wait_unless([] { return false; }, lock, where,
                        [&](auto& held) { return of_.wait_until(held, end, where); });
        return is_notified ? cv_status::no_timeout : cv_status::timeout;
    }
    template <class Lock, class Rep, class Period>
    cv_status wait_for(Lock& lock, const std::chrono::duration<Rep, Period>& at_most,
                       site where = site::current()) {
        return wait_until(lock, std::chrono::steady_clock::now() + at_most, where);
    }
    template <class Lock, class Clock, class Duration, std::predicate Predicate>
    bool wait_until(Lock& lock, const std::chrono::time_point<Clock, Duration>& end,
                    Predicate is_ready, site where = site::current()) {
        while (!is_ready())
            if (wait_until(lock, end, where) == cv_status::timeout) return is_ready();
        return true;
    }
    template <class Lock, class Rep, class Period, std::predicate Predicate>
    bool wait_for(Lock& lock, const std::chrono::duration<Rep, Period>& at_most, Predicate is_ready,
                  site where = site::current()) {
        return wait_until(lock, std::chrono::steady_clock::now() + at_most, std::move(is_ready),
                          where);
    }

    /// Waits until the predicate is true or a stop is requested.
    ///
    /// @return what the predicate returns in the end
    template <class Lock, std::predicate Predicate>
    bool wait(Lock& lock, stop_token token, Predicate is_ready, site where = site::current()) {
        return wait_stoppable(lock, token, is_ready, where, [&](auto& held) {
            of_.wait(held, where);
            return true;
        });
    }
    template <class Lock, class Clock, class Duration, std::predicate Predicate>
    bool wait_until(Lock& lock, stop_token token,
                    const std::chrono::time_point<Clock, Duration>& end, Predicate is_ready,
                    site where = site::current()) {
        return wait_stoppable(lock, token, is_ready, where,
                              [&](auto& held) { return of_.wait_until(held, end, where); });
    }
    template <class Lock, class Rep, class Period, std::predicate Predicate>
    bool wait_for(Lock& lock, stop_token token, const std::chrono::duration<Rep, Period>& at_most,
                  Predicate is_ready, site where = site::current()) {
        return wait_until(lock, std::move(token), std::chrono::steady_clock::now() + at_most,
                          std::move(is_ready), where);
    }

private:
    /// Releases the lock, waits, and takes the lock again. Does nothing if `is_over` holds under
    /// the mutex of this object.
    ///
    /// @return what `native` returns: false if the wait gave up
    template <class IsOver, class Lock, class Native>
    bool wait_unless(IsOver is_over, Lock& lock, const site& where,
                     Native native) WEDGE_NO_THREAD_SAFETY {
        bool is_notified = true;
        {
            const guard held(gate_, where);
            if (is_over()) return true;
            lock.unlock();
            is_notified = native(held);
        }
        // No guard: when an execution is given up, the lock must not be taken again.
        detail::located<Lock>(lock, where).lock();
        return is_notified;
    }

    template <class Lock, class Predicate, class Native>
    bool wait_stoppable(Lock& lock, const stop_token& token, Predicate& is_ready, const site& where,
                        Native native) {
        if (token.stop_requested(where)) return is_ready();
        const stop_callback wakes(
            token, [this, where] { notify_all(where); }, where);
        while (!is_ready()) {
            const auto is_over = [&] { return token.stop_requested(where); };
            const bool goes_on = wait_unless(is_over, lock, where, native);
            if (!goes_on || token.stop_requested(where)) return is_ready();
        }
        return true;
    }

    detail::internal_mutex<> gate_;
    condition of_;
};

}  // namespace wedge::std_like
