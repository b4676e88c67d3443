// The fence of a device's job: signalled by an interrupt, with callbacks, waited for by tasks.
#pragma once

#include <algorithm>
#include <vector>

#include "wedge/lock/guard.hpp"
#include "wedge/lock/signalling.hpp"
#include "wedge/lock/spinlock.hpp"
#include "wedge/model/fence.hpp"
#include "wedge/task/contexts.hpp"

namespace wedge {

/// Holds a spinlock with interrupts off, and lets them in again at the end of the block if they
/// were in before (Linux: spin_lock_irqsave).
class irq_guard {
public:
    explicit irq_guard(spinlock& lock, site where = site::current()) WEDGE_NO_THREAD_SAFETY
        : lock_(lock),
          were_off_(current().contexts.irqs_are_off),
          where_(where) {
        if (!were_off_) irqs_off(where_);
        lock_.lock(where_);
    }
    ~irq_guard() WEDGE_NO_THREAD_SAFETY {
        lock_.unlock(where_);
        if (!were_off_) irqs_on(where_);
    }
    irq_guard(const irq_guard&) = delete;
    irq_guard& operator=(const irq_guard&) = delete;

private:
    spinlock& lock_;
    const bool were_off_;
    const site where_;
};

/// What is called when a fence is signalled, under the fence's lock and in interrupt context: it
/// must not sleep, take a lock that tasks take with interrupts on, or touch this fence
/// (Linux: dma_fence_cb).
class fence_callback {
public:
    fence_callback() = default;
    fence_callback(const fence_callback&) = delete;
    fence_callback& operator=(const fence_callback&) = delete;
    virtual ~fence_callback() = default;
    virtual void signalled() = 0;
};

/// A fence with callbacks (Linux: dma_fence). Its signaller must not wait for what a waiter may
/// hold: that order is the signalling map, which a wait touches.
class job_fence {
public:
    /// @param signallers  the map of those who promise to signal it
    explicit job_fence(signalling_map& signallers) : signallers_(signallers) {}

    /// The device's interrupt, on top of the running task. A second time nothing happens.
    void signal(site where = site::current()) {
        const in_context interrupt(context::hardirq, /*threaded=*/true, where);
        const guard held(lock_, where);
        done_.signal(where);
        for (fence_callback* const each : callbacks_) each->signalled();
        callbacks_.clear();
    }

    /// False: it is signalled already, and the callback will not be called.
    bool add(fence_callback& one, site where = site::current()) {
        const irq_guard held(lock_, where);
        if (done_.is_signalled(where)) return false;
        callbacks_.push_back(&one);
        return true;
    }
    /// Afterwards it is not called, nor being called. Not from a callback, and under no lock that
    /// a callback takes. False: it has been called, or was never added.
    bool remove(fence_callback& one, site where = site::current()) {
        const irq_guard held(lock_, where);
        return std::erase(callbacks_, &one) != 0;
    }

    /// Sleeps, whatever the caller holds: the order is checked even if it is signalled.
    void wait(site where = site::current()) {
        signallers_.touch(where);
        done_.wait(where);
    }
    bool is_signalled(site where = site::current()) { return done_.is_signalled(where); }

private:
    signalling_map& signallers_;
    spinlock lock_{"fence.lock"};
    fence done_{"fence"};
    std::vector<fence_callback*> callbacks_;  // by lock_
};

}  // namespace wedge
