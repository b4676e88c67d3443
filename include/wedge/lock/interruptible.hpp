// Acquires that a signal may end.
#pragma once

#include "wedge/lock/checked.hpp"

namespace wedge {

namespace detail {

/// Returns whether a signal ends the wait. In a live program no signal comes. Under control a
/// recorded choice decides while the task would wait. A deadlock that only a signal could end is
/// still a deadlock.
inline bool is_interrupted() noexcept {
    return current().runtime != nullptr && choose(2, "interrupted") != 0;
}

}  // namespace detail

/// Takes a lock; returns false if a signal came first (Linux: mutex_lock_interruptible, and for a
/// fatal signal mutex_lock_killable). In a live program it waits for the lock.
template <lockable L>
bool lock_interruptible(L& lock, site where = site::current())
    WEDGE_TRY_ACQUIRE(true, lock) WEDGE_NO_THREAD_SAFETY {
    if (detail::is_interrupted()) return lock.try_lock(where);
    lock.lock(where);
    return true;
}

/// As `lock_interruptible`, for a shared hold (Linux: down_read_interruptible, down_read_killable).
template <shared_lockable L>
bool lock_shared_interruptible(L& lock, site where = site::current())
    WEDGE_TRY_ACQUIRE_SHARED(true, lock) WEDGE_NO_THREAD_SAFETY {
    if (detail::is_interrupted()) return lock.try_lock_shared(where);
    lock.lock_shared(where);
    return true;
}

}  // namespace wedge
