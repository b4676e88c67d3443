// Sequence counts and sequence locks: readers do not lock, and read again after a change.
#pragma once

#include <atomic>
#include <cstdint>

#include <sched.h>

#include "wedge/core/contexts.hpp"
#include "wedge/lock/atomic.hpp"
#include "wedge/lock/guard.hpp"
#include "wedge/lock/spinlock.hpp"

namespace wedge {

/// The part of a sequence count on which tasks wait. A reader spins while a writer is in its
/// section. A writer waits for no task.
class plain_seqcount {
public:
    void lock() noexcept { is_written_.store(true, std::memory_order_seq_cst); }
    bool try_lock() noexcept { return lock(), true; }
    void unlock() noexcept { is_written_.store(false, std::memory_order_seq_cst); }
    void lock_shared() noexcept {
        for (unsigned spins = 0; is_written_.load(std::memory_order_seq_cst);)
            if (++spins % spins_before_yield == 0) sched_yield();
    }
    bool try_lock_shared() noexcept { return !is_written_.load(std::memory_order_seq_cst); }
    void unlock_shared() noexcept {}

private:
    static constexpr unsigned spins_before_yield = 128;  // about a microsecond

    std::atomic<bool> is_written_{false};
};

template <>
struct lock_traits<plain_seqcount> {
    static constexpr lock_kind kind = lock_kind::qrwlock;
    static constexpr mode shared_how = mode::recursive_shared;
};
template <>
inline constexpr bool has_free_readers<plain_seqcount> = true;
/// Every context may read and write. A writer must not sleep in its section, since readers spin
/// until its end.
template <>
struct lock_waits<plain_seqcount> {
    static constexpr wait_type waits = wait_type::raw;
    static constexpr wait_type allows = wait_type::spin;
};

/// A number that is odd while data change (Linux: seqcount_t). A reader notes it, reads the data,
/// and reads again if the number has changed since. The data must be atomic, since they may change
/// while a reader reads them.
///
///     std::uint32_t seen;
///     do seen = count.read_begin(); while (read_data(), count.read_retry(seen));
///
/// For the order checker a writer's section is held exclusively, and `read_begin` is a recursive
/// read that waits for the section's end (rule 19c). So these are findings: a reader that holds a
/// lock which the writer takes in its section, and a reader in an interrupt that may come in the
/// middle of the section. That reader spins forever.
///
/// Writers exclude each other by a lock of the caller's. `read_begin` spins; nothing else waits.
template <class Level = default_level>
class basic_seqcount {
public:
    explicit basic_seqcount(label as = site::current())
        : section_(class_of(as)), count_(0, class_of(as)) {}
    basic_seqcount(const basic_seqcount&) = delete;
    basic_seqcount& operator=(const basic_seqcount&) = delete;

    /// Waits until no writer is in its section, and returns the number to compare later.
    std::uint32_t read_begin(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        for (;;) {
            section_.lock_shared(where);
            const unbroken_section whole;  // no controlled writer can come before the unlock
            const std::uint32_t seen = count_.load(where);
            section_.unlock_shared(where);
            // A writer of another thread can begin between the wait and the load. The reader would
            // then compare two odd numbers of one section, and take half a change for a whole one.
            if (seen % 2 == 0) return seen;
        }
    }
    /// Returns whether the data may have changed since, so that they must be read again.
    bool read_retry(std::uint32_t seen, site where = site::current()) const {
        return count_.load(where) != seen;
    }
    /// Returns the number without a wait. It is odd if a writer is in its section (Linux:
    /// raw_read_seqcount).
    std::uint32_t peek(site where = site::current()) const { return count_.load(where); }

    /// Returns that number without a step. Under control, between two steps.
    std::uint32_t state() const noexcept { return count_.state(); }
    /// Returns the lock that a writer's section holds.
    lock_identity& identity() noexcept { return section_.identity(); }

    /// Begins a section that changes the data. The caller keeps other writers out, and should not
    /// be preempted or interrupted by a reader.
    void write_begin(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        section_.lock(where);
        count_.fetch_add(1, where);
    }
    void write_end(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        count_.fetch_add(1, where);
        section_.unlock(where);
    }

private:
    static lock_class class_of(const label& as) {
        if constexpr (Level::value == level::off)
            return lock_class::from_id(0);
        else
            return as.cls();
    }

    checked<plain_seqcount, Level> section_;
    mutable basic_atomic<std::uint32_t, Level> count_;
};

using seqcount = basic_seqcount<>;

/// A sequence count with the spinlock of its writers (Linux: seqlock_t). The spinlock's class is
/// that of the label, and the count's class is `NAME sequence`.
template <class Level = default_level>
class basic_seqlock {
public:
    explicit basic_seqlock(label as = site::current())
        : lock_(class_of(as, "")), count_(class_of(as, " sequence")) {}
    basic_seqlock(const basic_seqlock&) = delete;
    basic_seqlock& operator=(const basic_seqlock&) = delete;

    std::uint32_t read_begin(site where = site::current()) { return count_.read_begin(where); }
    bool read_retry(std::uint32_t seen, site where = site::current()) const {
        return count_.read_retry(seen, where);
    }

    std::uint32_t state() const noexcept { return count_.state(); }
    lock_identity& identity() noexcept { return count_.identity(); }

    /// Begins a section that changes the data. Spins while another writer is in its section.
    void write_lock(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        lock_.lock(where);
        count_.write_begin(where);
    }
    void write_unlock(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        count_.write_end(where);
        lock_.unlock(where);
    }
    /// Keeps writers and other readers of this sort out (Linux: read_seqlock_excl). Such a reader
    /// need not read again.
    void read_lock_exclusive(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        lock_.lock(where);
    }
    void read_unlock_exclusive(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        lock_.unlock(where);
    }

private:
    static lock_class class_of(const label& as, const char* suffix) {
        if constexpr (Level::value == level::off)
            return lock_class::from_id(0);
        else
            return *suffix == '\0' ? as.cls() : lock_class((as.cls().name() + suffix).c_str());
    }

    checked<plain_spinlock, Level> lock_;
    basic_seqcount<Level> count_;
};

using seqlock = basic_seqlock<>;

}  // namespace wedge
