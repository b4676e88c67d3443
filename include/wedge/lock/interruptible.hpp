// Acquires that a signal may end.
#pragma once

#include "wedge/lock/checked.hpp"

namespace wedge {

namespace detail {

/// Natively no signal ends a wait. Under control a recorded choice says whether one comes while the
/// task would wait: a deadlock that only signals could break is one.
inline bool is_interrupted() noexcept {
    return current().runtime != nullptr && choose(2, "interrupted") != 0;
}

}  // namespace detail

/// Takes a lock; false: a signal came first (Linux: mutex_lock_interruptible, and for a signal that
/// kills, mutex_lock_killable). Natively there are none, so it waits.
template <lockable L>
bool lock_interruptible(L& lock, site where = site::current())
    WEDGE_TRY_ACQUIRE(true, lock) WEDGE_NO_THREAD_SAFETY {
    if (detail::is_interrupted()) return lock.try_lock(where);
    lock.lock(where);
    return true;
}

/// The same for a shared hold (Linux: down_read_interruptible, down_read_killable).
template <shared_lockable L>
bool lock_shared_interruptible(L& lock, site where = site::current())
    WEDGE_TRY_ACQUIRE_SHARED(true, lock) WEDGE_NO_THREAD_SAFETY {
    if (detail::is_interrupted()) return lock.try_lock_shared(where);
    lock.lock_shared(where);
    return true;
}

}  // namespace wedge
