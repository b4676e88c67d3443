// A lock that waits by spinning.
#pragma once

#include <atomic>

#include <sched.h>

#include "wedge/lock/checked.hpp"
#include "wedge/lock/futex.hpp"

namespace wedge {

/// A spinlock by test-and-test-and-set. It yields the processor after a while, since the holder may
/// be preempted in user space. Not fair.
class plain_spinlock {
public:
    plain_spinlock() noexcept { sanitizer::tsan_lock::created(this, 0); }
    ~plain_spinlock() { sanitizer::tsan_lock::destroyed(this); }
    plain_spinlock(const plain_spinlock&) = delete;
    plain_spinlock& operator=(const plain_spinlock&) = delete;

    void lock() noexcept {
        sanitizer::tsan_lock::locking(this, 0);
        for (unsigned spins = 0; taken_.exchange(true, std::memory_order_acquire);)
            while (taken_.load(std::memory_order_relaxed)) pause(++spins);
        sanitizer::tsan_lock::locked(this, 0);
    }
    bool try_lock() noexcept {
        constexpr unsigned tried = sanitizer::tsan_lock::try_lock;
        sanitizer::tsan_lock::locking(this, tried);
        const bool is_mine = !taken_.load(std::memory_order_relaxed) &&
                             !taken_.exchange(true, std::memory_order_acquire);
        sanitizer::tsan_lock::locked(
            this, is_mine ? tried : tried | sanitizer::tsan_lock::try_lock_failed);
        return is_mine;
    }
    void unlock() noexcept {
        sanitizer::tsan_lock::unlocking(this, 0);
        taken_.store(false, std::memory_order_release);
        sanitizer::tsan_lock::unlocked(this, 0);
    }

private:
    static void pause(unsigned spins) noexcept {
        if (spins % spins_before_yield == 0)
            sched_yield();
        else
            detail::spin_pause();
    }

    static constexpr unsigned spins_before_yield = 32;  // about a microsecond

    std::atomic<bool> taken_{false};
};

template <>
struct lock_traits<plain_spinlock> {
    static constexpr lock_kind kind = lock_kind::spinlock;
    static constexpr mode shared_how = mode::exclusive;
};

using spinlock = checked<plain_spinlock>;

/// A spinlock that every context may take (Linux: raw_spinlock_t, which never sleeps on real-time
/// kernels). Only raw spinlocks are allowed under it.
class plain_raw_spinlock : public plain_spinlock {};

template <>
struct lock_traits<plain_raw_spinlock> {
    static constexpr lock_kind kind = lock_kind::raw_spinlock;
    static constexpr mode shared_how = mode::exclusive;
};

using raw_spinlock = checked<plain_raw_spinlock>;

}  // namespace wedge
