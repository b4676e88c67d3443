// Work items: code that runs later, in a task of its own, at once or after a delay.
#pragma once

#include "wedge/lock/deferred.hpp"

namespace wedge {

/// A body that runs on its own worker whenever the item is queued (Linux: work_struct, with one
/// worker per item). detail::deferred says what holds under control.
template <class Level = default_level>
class basic_work : public detail::deferred<context::task, Level> {
    using base = detail::deferred<context::task, Level>;

protected:
    using base::base;

public:
    template <class Body>
    explicit basic_work(Body body, label as = site::current(), site where = site::current())
        : base(std::move(body), as, where) {}

    /// Queues a run; returns false if the item is queued already or being cancelled.
    bool queue(site where = site::current()) { return base::queue_at(base::at_once, where); }
    /// Waits until the runs that were queued before have ended.
    void flush(site where = site::current()) { base::flush_now(where); }
    /// Drops a queued run and waits for a running body. No task can queue the item in the meantime.
    ///
    /// @return whether a run was queued
    bool cancel(site where = site::current()) { return base::cancel_and_wait(where); }
};

/// As basic_work, for runs that begin after a delay (Linux: delayed_work).
template <class Level = default_level>
class basic_delayed_work : public detail::deferred<context::task, Level> {
    using base = detail::deferred<context::task, Level>;

protected:
    using base::base;

public:
    template <class Body>
    explicit basic_delayed_work(Body body, label as = site::current(), site where = site::current())
        : base(std::move(body), as, where) {}

    /// Queues a run; returns false if the item is queued already or being cancelled.
    template <class Rep, class Period>
    bool queue(std::chrono::duration<Rep, Period> delay, site where = site::current()) {
        return base::queue_at(std::chrono::steady_clock::now() + delay, where);
    }
    /// Queues a run, or changes the delay of a queued one (Linux: mod_delayed_work). Returns
    /// whether a run was queued.
    template <class Rep, class Period>
    bool modify(std::chrono::duration<Rep, Period> delay, site where = site::current()) {
        return base::requeue_at(std::chrono::steady_clock::now() + delay, where);
    }
    /// Begins a queued run at once, and waits until it has ended.
    void flush(site where = site::current()) { base::flush_now(where); }
    /// Drops a queued run, without a wait for a running body. Returns whether one was queued.
    bool cancel(site where = site::current()) { return base::drop(where); }
    /// Drops a queued run and waits for a running body. No task can queue the item in the meantime.
    bool cancel_sync(site where = site::current()) { return base::cancel_and_wait(where); }
};

using work = basic_work<>;
using delayed_work = basic_delayed_work<>;

}  // namespace wedge
