// A readers-writer lock whose readers share no cache line.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "wedge/core/check.hpp"
#include "wedge/lock/shared_mutex.hpp"

namespace wedge {

namespace detail {

/// A barrier of two unequal sides: `light` costs nothing, and `heavy` interrupts the processors
/// that run threads of the process (membarrier(2)), which takes microseconds. Of two threads, each
/// of which stores, passes a barrier and loads what the other one stores, at least one sees the
/// store of the other if one of the barriers is heavy. Without support by the system, and under
/// ThreadSanitizer, both sides are full fences.
class unequal_barrier {
public:
    /// Called once before the first barrier.
    static void begin() noexcept {
        if constexpr (sanitizer::thread) return;
        if (is_light_.load(std::memory_order_relaxed)) return;
        is_light_.store(call(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0,
                        std::memory_order_relaxed);
    }
    [[gnu::always_inline]] static void light() noexcept {
        if (is_light_.load(std::memory_order_relaxed)) [[likely]]
            std::atomic_signal_fence(std::memory_order_seq_cst);
        else
            full();
    }
    static void heavy() noexcept {
        full();
        if (!is_light_.load(std::memory_order_relaxed)) return;
        if (call(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0) return;
        // The child of a fork may have to register again.
        call(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
        WEDGE_CHECK(call(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0);
    }

private:
    static long call(int command) noexcept {
        const int errno_before = errno;
        const long result = ::syscall(SYS_membarrier, command, 0, 0);
        errno = errno_before;
        return result;
    }
    static void full() noexcept {
        if constexpr (sanitizer::thread)  // which knows no fences
            fence_.fetch_add(1, std::memory_order_seq_cst);
        else
            std::atomic_thread_fence(std::memory_order_seq_cst);
    }

    static inline std::atomic<bool> is_light_{false};
    static inline std::atomic<unsigned> fence_{0};
};

/// The number of a thread among the threads that read; a thread gives it back at its end.
class reader_number {
public:
    static constexpr unsigned capacity = 64;

    /// Returns the number of the calling thread; `capacity` if it has none.
    [[gnu::always_inline]] static unsigned mine() noexcept {
        if (mine_ == unknown) [[unlikely]]
            take();
        return mine_;
    }

private:
    static constexpr unsigned unknown = capacity + 1;

    struct owner {
        ~owner() {
            const unsigned before = mine_;
            mine_ = capacity;  // other destructors of the thread may read
            if (before < capacity)
                taken_.fetch_and(~(std::uint64_t{1} << before), std::memory_order_release);
        }
    };
    [[gnu::noinline]] static void take() noexcept {
        mine_ = capacity;
        std::uint64_t all = taken_.load(std::memory_order_relaxed);
        while (~all != 0) {
            const auto free = static_cast<unsigned>(__builtin_ctzll(~all));
            if (!taken_.compare_exchange_weak(all, all | std::uint64_t{1} << free,
                                              std::memory_order_acquire, std::memory_order_relaxed))
                continue;
            mine_ = free;
            static thread_local owner at_end;
            static_cast<void>(at_end);
            return;
        }
    }

    static inline constinit thread_local unsigned mine_ = unknown;
    static inline std::atomic<std::uint64_t> taken_{0};
};

}  // namespace detail

/// A readers-writer lock for data that is read all the time and hardly ever written (Linux:
/// percpu_rw_semaphore). Each of the first 64 threads of the process counts its reads in a cache
/// line of its own, and an acquire for reading is no atomic operation. So readers on many
/// processors do not slow each other down.
///
/// A writer pays for it: it interrupts all processors of the process, looks at 64 counters and
/// waits until they are 0, which takes at least microseconds. The lock has 4 KiB. Further threads
/// read with a `plain_shared_mutex`, behind which writers queue too. A reader waits behind a queued
/// writer, so under control the lock is a `shared_mutex`.
///
/// A thread must release what it has taken itself.
class plain_big_reader_mutex {
public:
    plain_big_reader_mutex() noexcept {
        detail::unequal_barrier::begin();
        sanitizer::tsan_lock::created(this, 0);
    }
    ~plain_big_reader_mutex() { sanitizer::tsan_lock::destroyed(this); }
    plain_big_reader_mutex(const plain_big_reader_mutex&) = delete;
    plain_big_reader_mutex& operator=(const plain_big_reader_mutex&) = delete;

    void lock() {
        sanitizer::tsan_lock::locking(this, 0);
        writers_.lock();
        close();
        await_readers();
        sanitizer::tsan_lock::locked(this, 0);
    }
    bool try_lock() noexcept {
        constexpr unsigned tried = sanitizer::tsan_lock::try_lock;
        sanitizer::tsan_lock::locking(this, tried);
        bool is_mine = writers_.try_lock();
        if (is_mine) {
            close();
            if (!is_free()) {
                open();
                writers_.unlock();
                is_mine = false;
            }
        }
        sanitizer::tsan_lock::locked(
            this, is_mine ? tried : tried | sanitizer::tsan_lock::try_lock_failed);
        return is_mine;
    }
    void unlock() noexcept {
        sanitizer::tsan_lock::unlocking(this, 0);
        open();
        writers_.unlock();
        sanitizer::tsan_lock::unlocked(this, 0);
    }

    void lock_shared() {
        sanitizer::tsan_lock::locking(this, sanitizer::tsan_lock::read_lock);
        reads* const mine = reads_of_thread();
        if (mine == nullptr || !enter(*mine)) [[unlikely]]
            read_behind_writers(mine);
        sanitizer::tsan_lock::locked(this, sanitizer::tsan_lock::read_lock);
    }
    bool try_lock_shared() noexcept {
        unsigned how = sanitizer::tsan_lock::read_lock | sanitizer::tsan_lock::try_lock;
        sanitizer::tsan_lock::locking(this, how);
        reads* const mine = reads_of_thread();
        const bool is_mine = mine == nullptr ? writers_.try_lock_shared() : enter(*mine);
        if (!is_mine) how |= sanitizer::tsan_lock::try_lock_failed;
        sanitizer::tsan_lock::locked(this, how);
        return is_mine;
    }
    void unlock_shared() noexcept {
        sanitizer::tsan_lock::unlocking(this, sanitizer::tsan_lock::read_lock);
        reads* const mine = reads_of_thread();
        if (mine != nullptr) [[likely]]
            leave(*mine);
        else
            stop_reading();
        sanitizer::tsan_lock::unlocked(this, sanitizer::tsan_lock::read_lock);
    }
    /// Turns the caller's exclusive hold into a shared one, and lets in readers. Never blocks.
    void downgrade() noexcept {
        sanitizer::tsan_lock::unlocking(this, 0);
        reads* const mine = reads_of_thread();
        if (mine != nullptr) mine->add(1);
        open();
        if (mine != nullptr)
            writers_.unlock();
        else
            writers_.downgrade();
        sanitizer::tsan_lock::unlocked(this, 0);
        sanitizer::tsan_lock::locking(this, sanitizer::tsan_lock::read_lock);
        sanitizer::tsan_lock::locked(this, sanitizer::tsan_lock::read_lock);
    }

private:
    /// The reads of one thread, which alone changes the number.
    struct alignas(64) reads {
        std::atomic<std::uint32_t> count{0};

        void add(std::uint32_t by) noexcept {
            count.store(count.load(std::memory_order_relaxed) + by, std::memory_order_release);
        }
    };

    [[gnu::always_inline]] reads* reads_of_thread() noexcept {
        const unsigned number = detail::reader_number::mine();
        return number < detail::reader_number::capacity ? &reads_[number] : nullptr;
    }
    [[gnu::always_inline]] bool enter(reads& mine) noexcept {
        mine.add(1);
        detail::unequal_barrier::light();
        if (!is_closed_.load(std::memory_order_acquire)) [[likely]]
            return true;
        leave(mine);
        return false;
    }
    [[gnu::always_inline]] void leave(reads& mine) noexcept {
        mine.add(static_cast<std::uint32_t>(-1));
        detail::unequal_barrier::light();
        if (is_closed_.load(std::memory_order_relaxed)) [[unlikely]]
            wake_writer();
    }
    [[gnu::noinline]] void read_behind_writers(reads* mine) {
        writers_.lock_shared();
        if (mine == nullptr) return;
        mine->add(1);  // no writer has closed the lock
        writers_.unlock_shared();
    }
    [[gnu::noinline]] void stop_reading() noexcept { writers_.unlock_shared(); }
    [[gnu::noinline]] void wake_writer() noexcept {
        left_.fetch_add(1, std::memory_order_release);
        detail::futex_wake(&left_);
    }

    // The functions below are called by the thread that holds `writers_` exclusively.

    /// Keeps new readers out. Each reader that has entered before is counted.
    void close() noexcept {
        is_closed_.store(true, std::memory_order_relaxed);
        detail::unequal_barrier::heavy();
    }
    void open() noexcept { is_closed_.store(false, std::memory_order_release); }
    bool is_free() const noexcept {
        for (const reads& each : reads_)
            if (each.count.load(std::memory_order_acquire) != 0) return false;
        return true;
    }
    void await_readers() noexcept {
        constexpr unsigned spins = 100;
        for (unsigned i = 0;; ++i) {
            const std::uint32_t seen = left_.load(std::memory_order_acquire);
            if (is_free()) return;
            if (i < spins)
                detail::spin_pause();
            else
                detail::futex_wait(left_, seen);
        }
    }

    reads reads_[detail::reader_number::capacity];
    alignas(64) std::atomic<bool> is_closed_{false};
    detail::futex_word left_{0};  ///< counts readers that leave while the lock is closed
    plain_shared_mutex writers_;
};

template <>
struct lock_traits<plain_big_reader_mutex> {
    static constexpr lock_kind kind = lock_kind::shared_mutex;
    static constexpr mode shared_how = mode::shared;
};

using big_reader_mutex = checked<plain_big_reader_mutex>;

}  // namespace wedge
