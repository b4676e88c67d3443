// Timers and irq works: code that runs later, in an interrupt.
#pragma once

#include "wedge/lock/deferred.hpp"

namespace wedge {

/// A body that runs in a softirq when the timer expires (Linux: timer_list). It may arm the timer
/// again. It must not sleep, and tasks must keep softirqs out while they hold a lock of the body.
///
/// `stop_and_wait` must not be called from the body, or under a lock that the body takes.
template <class Level = default_level>
class basic_timer : public detail::deferred<context::softirq, Level> {
    using base = detail::deferred<context::softirq, Level>;

protected:
    using base::base;

public:
    template <class Body>
    explicit basic_timer(Body body, label as = site::current(), site where = site::current())
        : base(std::move(body), as, where) {}

    /// Arms the timer, or changes when it expires (Linux: mod_timer). Returns whether it was armed.
    template <class Rep, class Period>
    bool arm(std::chrono::duration<Rep, Period> delay, site where = site::current()) {
        return base::requeue_at(std::chrono::steady_clock::now() + delay, where);
    }
    /// Disarms the timer; its body may still run (Linux: del_timer). Returns whether it was armed.
    bool stop(site where = site::current()) { return base::drop(where); }
    /// Disarms the timer and waits until its body is not running, also if the body arms it again
    /// (Linux: del_timer_sync). Returns whether it was armed.
    bool stop_and_wait(site where = site::current()) { return base::drop_until_still(where); }
    bool is_armed(site where = site::current()) { return base::is_pending(where); }
};

/// A body that runs in a hardirq soon after it is queued (Linux: irq_work). It may take raw
/// spinlocks only. It can be queued from every context.
template <class Level = default_level>
class basic_irq_work : public detail::deferred<context::hardirq, Level> {
    using base = detail::deferred<context::hardirq, Level>;

protected:
    using base::base;

public:
    template <class Body>
    explicit basic_irq_work(Body body, label as = site::current(), site where = site::current())
        : base(std::move(body), as, where) {}

    /// Queues a run; returns false if the item is queued already.
    bool queue(site where = site::current()) { return base::queue_at(base::at_once, where); }
    /// Waits until the runs that were queued before have ended. Must not be called from the body,
    /// or with interrupts disabled.
    void sync(site where = site::current()) {
        base::might_sleep(where);
        base::flush_now(where);
    }
};

using timer = basic_timer<>;
using irq_work = basic_irq_work<>;

}  // namespace wedge
