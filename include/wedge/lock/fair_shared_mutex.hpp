// A readers-writer lock that serves tasks strictly in the order in which they come.
#pragma once

#include <atomic>
#include <cstdint>

#include "wedge/lock/checked.hpp"
#include "wedge/lock/spinlock.hpp"

namespace wedge {

/// A readers-writer lock that serves tasks in the order in which they come. A reader waits behind
/// any queued writer, so neither side starves; neighbouring readers in the queue enter together. A
/// release hands the lock over to the next waiter.
///
/// Without contention an acquire is one compare-and-swap. Each waiter sleeps on a futex of its own,
/// and a lock that is handed over stays idle until its new holder has woken up. So threads that
/// meet often are up to a hundred times slower than with `shared_mutex`; use this lock where the
/// order of the waiters matters more.
class plain_fair_shared_mutex {
public:
    plain_fair_shared_mutex() noexcept { sanitizer::tsan_lock::created(this, 0); }
    ~plain_fair_shared_mutex() { sanitizer::tsan_lock::destroyed(this); }
    plain_fair_shared_mutex(const plain_fair_shared_mutex&) = delete;
    plain_fair_shared_mutex& operator=(const plain_fair_shared_mutex&) = delete;

    void lock() { wait_for(mode::exclusive, 0); }
    void lock_shared() { wait_for(mode::shared, sanitizer::tsan_lock::read_lock); }
    bool try_lock() noexcept { return try_for(mode::exclusive, 0); }
    bool try_lock_shared() noexcept {
        return try_for(mode::shared, sanitizer::tsan_lock::read_lock);
    }

    void unlock() noexcept {
        sanitizer::tsan_lock::unlocking(this, 0);
        leave(writer);
        sanitizer::tsan_lock::unlocked(this, 0);
    }
    void unlock_shared() noexcept {
        sanitizer::tsan_lock::unlocking(this, sanitizer::tsan_lock::read_lock);
        leave(reader);
        sanitizer::tsan_lock::unlocked(this, sanitizer::tsan_lock::read_lock);
    }
    /// Turns the caller's exclusive hold into a shared one, and lets in the readers at the head of
    /// the queue. Never blocks.
    void downgrade() noexcept {
        sanitizer::tsan_lock::unlocking(this, 0);
        if (state_.fetch_add(reader - writer, std::memory_order_acq_rel) & waiters) hand_over();
        sanitizer::tsan_lock::unlocked(this, 0);
        sanitizer::tsan_lock::locking(this, sanitizer::tsan_lock::read_lock);
        sanitizer::tsan_lock::locked(this, sanitizer::tsan_lock::read_lock);
    }

private:
    static constexpr std::uint32_t writer = 1;
    static constexpr std::uint32_t waiters = 2;  // a task is queued
    static constexpr std::uint32_t reader = 4;   // the rest counts readers

    /// A waiter. It lives on the waiting task's stack until it has been handed the lock.
    struct waiter {
        const mode how;
        std::atomic<std::uint32_t> is_mine{0};
        waiter* next = nullptr;
    };

    static bool admits(std::uint32_t state, mode how) noexcept {
        return is_shared(how) ? (state & writer) == 0 : (state & ~waiters) == 0;
    }
    static std::uint32_t share_of(mode how) noexcept { return is_shared(how) ? reader : writer; }

    bool take_if_free(mode how) noexcept {
        std::uint32_t state = state_.load(std::memory_order_relaxed);
        while ((state & waiters) == 0 && admits(state, how))
            if (state_.compare_exchange_weak(state, state + share_of(how),
                                             std::memory_order_acquire, std::memory_order_relaxed))
                return true;
        return false;
    }

    void wait_for(mode how, unsigned tsan) {
        sanitizer::tsan_lock::locking(this, tsan);
        if (!take_if_free(how)) enqueue_and_sleep(how);
        sanitizer::tsan_lock::locked(this, tsan);
    }
    bool try_for(mode how, unsigned tsan) noexcept {
        tsan |= sanitizer::tsan_lock::try_lock;
        sanitizer::tsan_lock::locking(this, tsan);
        const bool is_mine = take_if_free(how);
        sanitizer::tsan_lock::locked(this,
                                     is_mine ? tsan : tsan | sanitizer::tsan_lock::try_lock_failed);
        return is_mine;
    }

    void enqueue_and_sleep(mode how) {
        waiter self{how};
        queue_lock_.lock();
        // From here on no task takes the fast path, and each release looks at the queue.
        state_.fetch_or(waiters, std::memory_order_relaxed);
        *last_ = &self;
        last_ = &self.next;
        grant_the_first();
        queue_lock_.unlock();
        while (self.is_mine.load(std::memory_order_acquire) == 0) self.is_mine.wait(0);
    }

    void leave(std::uint32_t share) noexcept {
        if (state_.fetch_sub(share, std::memory_order_release) & waiters) hand_over();
    }
    void hand_over() noexcept {
        queue_lock_.lock();
        grant_the_first();
        queue_lock_.unlock();
    }

    /// Gives the lock to the head of the queue, and to readers that follow a reader, as far as the
    /// holders admit. Called under `queue_lock_`. While `waiters` is set the lock passes on only
    /// here.
    void grant_the_first() noexcept {
        while (first_ != nullptr && admits(state_.load(std::memory_order_acquire), first_->how)) {
            waiter& next = *first_;
            first_ = next.next;
            if (first_ == nullptr) last_ = &first_;
            const std::uint32_t done = first_ == nullptr ? waiters : 0;
            state_.fetch_add(share_of(next.how) - done, std::memory_order_acq_rel);
            // The waiter may return right after the store, and its stack may be gone. Waking such
            // an address is harmless: at worst another thread wakes up spuriously.
            next.is_mine.store(1, std::memory_order_release);
            next.is_mine.notify_one();
        }
    }

    std::atomic<std::uint32_t> state_{0};
    plain_spinlock queue_lock_;
    waiter* first_ = nullptr;
    waiter** last_ = &first_;
};

template <>
struct lock_traits<plain_fair_shared_mutex> {
    static constexpr lock_kind kind = lock_kind::shared_mutex;
    static constexpr mode shared_how = mode::shared;
};

using fair_shared_mutex = checked<plain_fair_shared_mutex>;

}  // namespace wedge
