// Acquires that a signal may end.
#pragma once

#include "wedge/lock/checked.hpp"

namespace wedge {

/// Takes a lock; false: a signal came first (Linux: mutex_lock_interruptible). Natively there are
/// none, so it waits. Under control a recorded choice says whether one comes while it would wait:
/// a deadlock that only signals could break is one.
template <lockable L>
bool lock_interruptible(L& lock, site where = site::current()) WEDGE_NO_THREAD_SAFETY {
    if (current().runtime != nullptr && choose(2, "interrupted") != 0) return lock.try_lock(where);
    lock.lock(where);
    return true;
}

}  // namespace wedge
