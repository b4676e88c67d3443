// The fence of a device's job: an interrupt signals it and runs callbacks, and tasks wait for it.
#pragma once

#include <algorithm>
#include <vector>

#include "wedge/core/contexts.hpp"
#include "wedge/lock/guard.hpp"
#include "wedge/lock/signalling.hpp"
#include "wedge/lock/spinlock.hpp"
#include "wedge/model/fence.hpp"

namespace wedge {

/// Holds a spinlock with interrupts disabled, and enables them at the end of the block if they were
/// enabled before (Linux: spin_lock_irqsave).
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

/// A function that runs when a fence is signalled, under the fence's lock and in interrupt context.
/// It must not sleep, touch this fence, or take a lock that tasks take with interrupts enabled
/// (Linux: dma_fence_cb).
class fence_callback {
public:
    fence_callback() = default;
    fence_callback(const fence_callback&) = delete;
    fence_callback& operator=(const fence_callback&) = delete;
    virtual ~fence_callback() = default;
    virtual void signalled() = 0;
};

/// A fence with callbacks (Linux: dma_fence). Its signaller must not wait for a lock that a waiter
/// may hold. The signalling map states that order, and each wait touches it (rule 19).
class job_fence {
public:
    /// @param signallers  the map of the tasks that promise to signal it
    explicit job_fence(signalling_map& signallers) : signallers_(signallers) {}

    /// Signals the fence by an interrupt on top of the running task. A second call does nothing.
    void signal(site where = site::current()) {
        const in_context interrupt(context::hardirq, /*threaded=*/true, where);
        const guard held(lock_, where);
        done_.signal(where);
        for (fence_callback* const each : callbacks_) each->signalled();
        callbacks_.clear();
    }

    /// Adds a callback; returns false if the fence is signalled already, so that it will not be
    /// called.
    bool add(fence_callback& one, site where = site::current()) {
        const irq_guard held(lock_, where);
        if (done_.is_signalled(where)) return false;
        callbacks_.push_back(&one);
        return true;
    }
    /// Removes a callback, and waits until it is not running. Must not be called from a callback,
    /// or under a lock that a callback takes. Returns false if it was called, or was never added.
    bool remove(fence_callback& one, site where = site::current()) {
        const irq_guard held(lock_, where);
        return std::erase(callbacks_, &one) != 0;
    }

    /// Waits for the fence. The order is checked for all locks that the caller holds, even if the
    /// fence is signalled already.
    void wait(site where = site::current()) {
        signallers_.touch(where);
        done_.wait(where);
    }
    bool is_signalled(site where = site::current()) { return done_.is_signalled(where); }

private:
    signalling_map& signallers_;
    spinlock lock_{"fence.lock"};
    fence done_{"fence"};
    std::vector<fence_callback*> callbacks_;  // guarded by lock_
};

}  // namespace wedge
