// The locks of POSIX threads, checked and explored.
#pragma once

#include <pthread.h>

#include "wedge/lock/checked.hpp"

namespace wedge::adapt {

/// A pthread_mutex_t as a Lockable.
class native_pthread_mutex {
public:
    native_pthread_mutex() noexcept { ::pthread_mutex_init(&of_, nullptr); }
    ~native_pthread_mutex() { ::pthread_mutex_destroy(&of_); }
    native_pthread_mutex(const native_pthread_mutex&) = delete;
    native_pthread_mutex& operator=(const native_pthread_mutex&) = delete;

    void lock() noexcept { ::pthread_mutex_lock(&of_); }
    bool try_lock() noexcept { return ::pthread_mutex_trylock(&of_) == 0; }
    void unlock() noexcept { ::pthread_mutex_unlock(&of_); }

private:
    pthread_mutex_t of_;
};

/// A pthread_rwlock_t as a SharedLockable.
class native_pthread_rwlock {
public:
    native_pthread_rwlock() noexcept { ::pthread_rwlock_init(&of_, nullptr); }
    ~native_pthread_rwlock() { ::pthread_rwlock_destroy(&of_); }
    native_pthread_rwlock(const native_pthread_rwlock&) = delete;
    native_pthread_rwlock& operator=(const native_pthread_rwlock&) = delete;

    void lock() noexcept { ::pthread_rwlock_wrlock(&of_); }
    bool try_lock() noexcept { return ::pthread_rwlock_trywrlock(&of_) == 0; }
    void unlock() noexcept { ::pthread_rwlock_unlock(&of_); }
    void lock_shared() noexcept { ::pthread_rwlock_rdlock(&of_); }
    bool try_lock_shared() noexcept { return ::pthread_rwlock_tryrdlock(&of_) == 0; }
    void unlock_shared() noexcept { ::pthread_rwlock_unlock(&of_); }

private:
    pthread_rwlock_t of_;
};

/// A pthread_spinlock_t as a Lockable.
class native_pthread_spinlock {
public:
    native_pthread_spinlock() noexcept { ::pthread_spin_init(&of_, PTHREAD_PROCESS_PRIVATE); }
    ~native_pthread_spinlock() { ::pthread_spin_destroy(&of_); }
    native_pthread_spinlock(const native_pthread_spinlock&) = delete;
    native_pthread_spinlock& operator=(const native_pthread_spinlock&) = delete;

    void lock() noexcept { ::pthread_spin_lock(&of_); }
    bool try_lock() noexcept { return ::pthread_spin_trylock(&of_) == 0; }
    void unlock() noexcept { ::pthread_spin_unlock(&of_); }

private:
    pthread_spinlock_t of_;
};

using pthread_mutex = checked<native_pthread_mutex>;
using pthread_rwlock = checked<native_pthread_rwlock>;
using pthread_spinlock = checked<native_pthread_spinlock>;

}  // namespace wedge::adapt

template <>
struct wedge::lock_traits<wedge::adapt::native_pthread_spinlock> {
    static constexpr lock_kind kind = lock_kind::spinlock;
    static constexpr mode shared_how = mode::exclusive;
};
