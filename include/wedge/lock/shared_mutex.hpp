// A readers-writer lock with downgrade, and the timed one of the standard library. (glibc's lock
// prefers readers and cannot downgrade.)
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <shared_mutex>
#include <thread>

#include "wedge/lock/checked.hpp"
#include "wedge/lock/futex.hpp"
#include "wedge/lock/spinlock.hpp"

namespace wedge {

/// A readers-writer lock that waits as Linux's rw_semaphore does.
///
/// A task that does not get the lock spins for a few microseconds before it queues. A task that
/// comes when the lock is free may take it before queued tasks. A task that has queued for
/// `patience` gets the lock by hand-over, so no task starves. Queued readers enter together. While
/// readers hold the lock, a new reader waits behind a queued writer.
///
/// Overtaking makes no deadlock that the model under control (first come, first served) has not: an
/// execution in which a task overtakes a queued one equals one in which the queued task came later.
///
/// Without contention an acquire is one atomic operation. Each queued task sleeps on a futex of its
/// own.
class plain_shared_mutex {
public:
    /// The time in the queue after which a task no longer lets others overtake it.
    static constexpr std::chrono::milliseconds patience{4};

    plain_shared_mutex() noexcept { sanitizer::tsan_lock::created(this, 0); }
    ~plain_shared_mutex() { sanitizer::tsan_lock::destroyed(this); }
    plain_shared_mutex(const plain_shared_mutex&) = delete;
    plain_shared_mutex& operator=(const plain_shared_mutex&) = delete;

    void lock() {
        sanitizer::tsan_lock::locking(this, 0);
        std::uint32_t state = 0;
        if (!state_.compare_exchange_strong(state, writer, std::memory_order_acquire,
                                            std::memory_order_relaxed)) [[unlikely]]
            wait_for(mode::exclusive);
        sanitizer::tsan_lock::locked(this, 0);
    }
    void lock_shared() {
        sanitizer::tsan_lock::locking(this, sanitizer::tsan_lock::read_lock);
        // Readers that meet only readers need no loop: each adds itself.
        if (!admits(state_.fetch_add(reader, std::memory_order_acquire), mode::shared))
            [[unlikely]] {
            leave(reader);
            wait_for(mode::shared);
        }
        sanitizer::tsan_lock::locked(this, sanitizer::tsan_lock::read_lock);
    }
    /// Takes a shared hold as soon as no writer holds the lock, also before queued writers. So a
    /// reader may read again. The caller spins, and sleeps for short times.
    void lock_shared_past_waiters() {
        sanitizer::tsan_lock::locking(this, sanitizer::tsan_lock::read_lock);
        for (unsigned tries = 1; !enter_past_waiters(); ++tries) {
            if (tries < spins)
                detail::spin_pause();
            else
                std::this_thread::sleep_for(std::chrono::microseconds(20));
        }
        sanitizer::tsan_lock::locked(this, sanitizer::tsan_lock::read_lock);
    }
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
        if (state_.fetch_add(reader - writer, std::memory_order_acq_rel) & waiters) serve_queue();
        sanitizer::tsan_lock::unlocked(this, 0);
        sanitizer::tsan_lock::locking(this, sanitizer::tsan_lock::read_lock);
        sanitizer::tsan_lock::locked(this, sanitizer::tsan_lock::read_lock);
    }

private:
    static constexpr std::uint32_t writer = 1;
    static constexpr std::uint32_t waiters = 2;    // a task is queued
    static constexpr std::uint32_t claimed = 4;    // a running task tries: a release wakes none
    static constexpr std::uint32_t hand_over = 8;  // only the head of the queue may take the lock
    static constexpr std::uint32_t reader = 16;    // the rest counts readers

    static constexpr unsigned spins = 100;  // a few microseconds
    static constexpr std::size_t readers_at_once = 64;

    enum signal : std::uint32_t { asleep, woken, granted };

    /// A queued task. It lives on the task's stack until the task has been granted the lock.
    struct waiter {
        const mode how;
        bool is_impatient = false;  // it has waited for `patience`
        detail::futex_word told{asleep};
        waiter* next = nullptr;
    };
    /// The tasks to wake once `queue_lock_` is free. Only their addresses may be used then.
    struct wake_list {
        static constexpr std::size_t capacity = readers_at_once + 1;
        const detail::futex_word* words[capacity];
        std::size_t size = 0;

        void wake() const noexcept {
            for (std::size_t i = 0; i < size; ++i) detail::futex_wake(words[i]);
        }
    };

    static bool is_free(std::uint32_t state) noexcept {
        return (state & writer) == 0 && state < reader;
    }
    /// Returns whether a task that is not queued may take the lock.
    static bool admits(std::uint32_t state, mode how) noexcept {
        if ((state & hand_over) != 0) return false;
        if (is_free(state)) return true;
        return is_shared(how) && (state & (writer | waiters)) == 0;
    }
    static std::uint32_t share_of(mode how) noexcept { return is_shared(how) ? reader : writer; }

    /// @param drop  bits to clear when the lock is taken
    bool take_if_admitted(mode how, std::uint32_t drop) noexcept {
        std::uint32_t state = state_.load(std::memory_order_relaxed);
        while (admits(state, how))
            if (state_.compare_exchange_weak(state, (state & ~drop) + share_of(how),
                                             std::memory_order_acquire, std::memory_order_relaxed))
                return true;
        return false;
    }
    bool enter_past_waiters() noexcept {
        std::uint32_t state = state_.load(std::memory_order_relaxed);
        while ((state & writer) == 0)
            if (state_.compare_exchange_weak(state, state + reader, std::memory_order_acquire,
                                             std::memory_order_relaxed))
                return true;
        return false;
    }
    bool try_for(mode how, unsigned tsan) noexcept {
        tsan |= sanitizer::tsan_lock::try_lock;
        sanitizer::tsan_lock::locking(this, tsan);
        // A try does not overtake queued tasks.
        const bool is_mine =
            (state_.load(std::memory_order_relaxed) & waiters) == 0 && take_if_admitted(how, 0);
        sanitizer::tsan_lock::locked(this,
                                     is_mine ? tsan : tsan | sanitizer::tsan_lock::try_lock_failed);
        return is_mine;
    }

    [[gnu::noinline]] void wait_for(mode how) {
        if (take_if_admitted(how, 0)) return;
        // At most one task spins: more of them would only slow down the holder.
        const bool is_spinner =
            (state_.fetch_or(claimed, std::memory_order_relaxed) & claimed) == 0;
        for (unsigned i = 0; is_spinner && i < spins; ++i) {
            if (take_if_admitted(how, claimed)) return;
            if ((state_.load(std::memory_order_relaxed) & hand_over) != 0) break;
            detail::spin_pause();
        }
        queue_up(how, is_spinner);
    }

    void queue_up(mode how, bool is_spinner) {
        const auto impatient_at = std::chrono::steady_clock::now() + patience;
        waiter self{how};
        wake_list others;
        queue_lock_.lock();
        // From here on each release that leaves the lock free looks at the queue.
        state_.fetch_or(waiters, std::memory_order_relaxed);
        if (is_spinner) state_.fetch_and(~claimed, std::memory_order_relaxed);
        *last_ = &self;
        last_ = &self.next;
        serve(others);
        queue_lock_.unlock();
        others.wake();
        while (self.told.load(std::memory_order_acquire) != granted) {
            if (self.told.load(std::memory_order_relaxed) == woken) {
                try_as_head(self);
            } else if (self.is_impatient) {
                detail::futex_wait(self.told, asleep);
            } else {
                const auto left = impatient_at - std::chrono::steady_clock::now();
                detail::futex_wait_for(self.told, asleep, left);
                if (std::chrono::steady_clock::now() < impatient_at) continue;
                become_impatient(self);
            }
        }
    }

    /// Lets the task take the lock if it is the first in the queue. If it is impatient and the lock
    /// is held, asks for a hand-over and spins until the holder has left.
    void try_as_head(waiter& self) noexcept {
        wake_list others;
        queue_lock_.lock();
        if (self.told.load(std::memory_order_relaxed) != granted) {
            self.told.store(asleep, std::memory_order_relaxed);
            state_.fetch_and(~claimed, std::memory_order_relaxed);
            if (first_ == &self) grant(others);
            if (first_ == &self && self.is_impatient) {
                state_.fetch_or(hand_over, std::memory_order_relaxed);
                grant(others);  // the holder may have left before it could see the bit
            }
        }
        queue_lock_.unlock();
        others.wake();
        for (unsigned i = 0;
             self.is_impatient && i < spins && self.told.load(std::memory_order_acquire) == asleep;
             ++i)
            detail::spin_pause();
    }
    /// Notes that the task has waited for long.
    void become_impatient(waiter& self) noexcept {
        queue_lock_.lock();
        self.is_impatient = true;
        queue_lock_.unlock();
        try_as_head(self);
    }

    void leave(std::uint32_t share) noexcept {
        const std::uint32_t state = state_.fetch_sub(share, std::memory_order_release) - share;
        if ((state & waiters) == 0 || !is_free(state)) return;
        if ((state & (claimed | hand_over)) == claimed) return;
        serve_queue();
    }
    [[gnu::noinline]] void serve_queue() noexcept {
        wake_list others;
        queue_lock_.lock();
        serve(others);
        queue_lock_.unlock();
        others.wake();
    }

    // The functions below are called under `queue_lock_`.

    /// Grants the lock to readers at the head of the queue; wakes a writer there so that it tries.
    void serve(wake_list& others) noexcept {
        if (first_ == nullptr) return;
        const std::uint32_t state = state_.load(std::memory_order_relaxed);
        if (is_shared(first_->how) || (state & hand_over) != 0) {
            grant(others);
        } else if (is_free(state) && (state & claimed) == 0) {
            state_.fetch_or(claimed, std::memory_order_relaxed);
            tell(*first_, woken, others);
        }
    }
    /// Gives the lock to the writer at the head of the queue, or else to all readers that are
    /// queued, if the holders admit them.
    void grant(wake_list& others) noexcept {
        const bool is_reader = is_shared(first_->how);
        bool is_last = first_->next == nullptr;
        const std::size_t count = is_reader ? count_readers(is_last) : 1;
        const std::uint32_t share = is_reader ? static_cast<std::uint32_t>(count) * reader : writer;
        const std::uint32_t done = is_last ? waiters | hand_over : hand_over;
        std::uint32_t state = state_.load(std::memory_order_relaxed);
        do {
            if (is_reader ? (state & writer) != 0 : !is_free(state)) return;
        } while (!state_.compare_exchange_weak(
            state, (state & ~done) + share, std::memory_order_acq_rel, std::memory_order_relaxed));
        dequeue(count, others);
        if (first_ != nullptr && first_->is_impatient)
            tell(*first_, woken, others);  // so that it asks for a hand-over
    }
    /// Counts the queued readers that enter together.
    ///
    /// @param are_all  set to whether nothing else is queued
    std::size_t count_readers(bool& are_all) const noexcept {
        std::size_t count = 0;
        are_all = true;
        for (const waiter* each = first_; each != nullptr; each = each->next) {
            if (is_shared(each->how) && count < readers_at_once)
                ++count;
            else
                are_all = false;
        }
        return count;
    }
    /// Removes the first tasks of the head's kind from the queue, and tells them.
    void dequeue(std::size_t count, wake_list& others) noexcept {
        const bool is_reader = is_shared(first_->how);
        waiter** place = &first_;
        while (count != 0) {
            waiter& each = **place;
            if (is_shared(each.how) != is_reader) {
                place = &each.next;
                continue;
            }
            *place = each.next;
            --count;
            tell(each, granted, others);
        }
        last_ = &first_;
        while (*last_ != nullptr) last_ = &(*last_)->next;
    }
    static void tell(waiter& task, signal what, wake_list& others) noexcept {
        others.words[others.size++] = &task.told;
        task.told.store(what, std::memory_order_release);  // after `granted` the task may be gone
    }

    std::atomic<std::uint32_t> state_{0};
    plain_spinlock queue_lock_;
    waiter* first_ = nullptr;
    waiter** last_ = &first_;
};

template <>
struct lock_traits<plain_shared_mutex> {
    static constexpr lock_kind kind = lock_kind::shared_mutex;
    static constexpr mode shared_how = mode::shared;
};

using shared_mutex = checked<plain_shared_mutex>;
using shared_timed_mutex = checked<std::shared_timed_mutex>;

}  // namespace wedge
