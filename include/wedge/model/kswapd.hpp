// Where kswapd sleeps, when it gives up, and where tasks wait for it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "wedge/core/contexts.hpp"
#include "wedge/core/hash.hpp"
#include "wedge/core/idle.hpp"
#include "wedge/core/stage.hpp"
#include "wedge/lock/condition.hpp"
#include "wedge/lock/guard.hpp"
#include "wedge/lock/spinlock.hpp"

namespace wedge {

/// The state that a zone and its kswapd share (Linux: kswapd_wait, kswapd_failures and
/// pfmemalloc_wait of a pgdat).
class kswapd_waits {
public:
    /// @param tries  runs without success after which it gives up; 0: never
    explicit kswapd_waits(std::uint32_t tries) : tries_(tries) {}

    /// Waits for work, for the task that is kswapd. The first call returns at once if there is
    /// work.
    ///
    /// @param has_work  asked in the step that notes that there is a kswapd, so that no wake-up is
    ///     lost
    /// @return false: it was stopped
    template <class HasWork>
    bool wait_for_wake(HasWork has_work, site where) {
        bool is_woken = false;
        stage_scope stage;
        if (!exists_.load(std::memory_order_relaxed)) {
            is_woken = has_work();
            exists_.store(true, std::memory_order_relaxed);
        }
        stage.set(is_woken ? 1 : 0);
        const unbroken_section whole;
        const guard held(lock_, where);
        // The throttled tasks decide whether to go on.
        if (throttled_tasks_ != 0) throttled_.notify_all(where);
        const idle_section without_work;
        while (!is_woken && !wake_ && !is_stopped_) woken_.wait(held, where);
        wake_ = false;
        return !is_stopped_;
    }
    void wake(site where) {
        if (!is_there() || is_hopeless()) return;
        const unbroken_section whole;
        const guard held(lock_, where);
        wake_locked(where);
    }
    void stop(site where) {
        const unbroken_section whole;
        const guard held(lock_, where);
        is_stopped_ = true;
        woken_.notify_all(where);
        throttled_.notify_all(where);
    }

    /// Waits until kswapd has made progress, with all locks that the task holds (Linux:
    /// throttle_direct_reclaim). A task that must stay out of the file system may hold what kswapd
    /// waits for, and goes on after a second.
    ///
    /// @param may_go_on  () -> bool
    template <class MayGoOn>
    void throttle(MayGoOn may_go_on, bool may_enter_fs, site where) {
        if (!is_there() || may_go_on()) return;
        const unbroken_section whole;
        const guard held(lock_, where);
        ++throttled_tasks_;
        for (bool is_late = false; !is_late && !is_stopped_ && !is_hopeless() && !may_go_on();) {
            wake_locked(where);
            if (may_enter_fs)
                throttled_.wait(held, where);
            else
                is_late = !throttled_.wait_for(held, std::chrono::seconds(1), where);
        }
        --throttled_tasks_;
    }
    /// Makes the throttled tasks look again.
    void release_throttled(site where) {
        const unbroken_section whole;
        const guard held(lock_, where);
        if (throttled_tasks_ != 0) throttled_.notify_all(where);
    }

    void has_failed() noexcept { failures_.fetch_add(1, std::memory_order_relaxed); }
    void has_succeeded() noexcept { failures_.store(0, std::memory_order_relaxed); }
    bool is_hopeless() const noexcept {
        return tries_ != 0 && failures_.load(std::memory_order_relaxed) >= tries_;
    }
    /// Returns a hash of this state without the locks. Under control, between two steps.
    std::uint64_t state() const noexcept {
        const std::uint64_t flags = std::uint64_t{is_there()} | std::uint64_t{wake_} << 1 |
                                    std::uint64_t{is_stopped_} << 2 |
                                    std::uint64_t{throttled_tasks_} << 3;
        return combine(flags, failures_.load(std::memory_order_relaxed));
    }

private:
    void wake_locked(site where) {
        wake_ = true;
        woken_.notify_one(where);
    }
    bool is_there() const noexcept { return exists_.load(std::memory_order_relaxed); }

    const std::uint32_t tries_;
    std::atomic<std::uint32_t> failures_{0};  // runs since a reclaim freed something
    std::atomic<bool> exists_{false};         // otherwise no task needs to be woken or waited for
    spinlock lock_{"kswapd_wait"};            // Linux: the lock of a wait queue
    condition woken_{lock_class("kswapd wake-up", {.keeps_mutex = true})};
    condition throttled_{lock_class("pfmemalloc_wait", {.keeps_mutex = true})};
    std::uint32_t throttled_tasks_ = 0;  // guarded by lock_, as the next one
    bool wake_ = false;
    bool is_stopped_ = false;
};

}  // namespace wedge
