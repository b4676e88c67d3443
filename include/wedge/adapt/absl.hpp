// Abseil's mutex, checked and explored. Without the package this header declares nothing.
#pragma once

#include "wedge/lock/assert.hpp"
#include "wedge/lock/checked.hpp"

#if __has_include(<absl/synchronization/mutex.h>)
#include <absl/synchronization/mutex.h>

namespace wedge::adapt {

/// An absl::Mutex as a SharedLockable. Its readers wait behind a waiting writer.
class native_absl_mutex {
public:
    void lock() WEDGE_NO_THREAD_SAFETY { of_.Lock(); }
    bool try_lock() WEDGE_NO_THREAD_SAFETY { return of_.TryLock(); }
    void unlock() WEDGE_NO_THREAD_SAFETY { of_.Unlock(); }
    void lock_shared() WEDGE_NO_THREAD_SAFETY { of_.ReaderLock(); }
    bool try_lock_shared() WEDGE_NO_THREAD_SAFETY { return of_.ReaderTryLock(); }
    void unlock_shared() WEDGE_NO_THREAD_SAFETY { of_.ReaderUnlock(); }

private:
    absl::Mutex of_;
};

}  // namespace wedge::adapt

template <>
struct wedge::lock_traits<wedge::adapt::native_absl_mutex> {
    static constexpr lock_kind kind = lock_kind::shared_mutex;
    static constexpr mode shared_how = mode::shared;
};

namespace wedge::adapt {

/// absl::Mutex, with its names as well as those of the standard. It has no conditions.
class absl_mutex : public checked<native_absl_mutex> {
public:
    using checked<native_absl_mutex>::checked;

    void Lock(site where = site::current()) WEDGE_NO_THREAD_SAFETY { lock(where); }
    bool TryLock(site where = site::current()) WEDGE_NO_THREAD_SAFETY { return try_lock(where); }
    void Unlock(site where = site::current()) WEDGE_NO_THREAD_SAFETY { unlock(where); }
    void ReaderLock(site where = site::current()) WEDGE_NO_THREAD_SAFETY { lock_shared(where); }
    bool ReaderTryLock(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        return try_lock_shared(where);
    }
    void ReaderUnlock(site where = site::current()) WEDGE_NO_THREAD_SAFETY { unlock_shared(where); }
    void AssertHeld(site where = site::current()) { assert_held_exclusively(*this, where); }
    void AssertReaderHeld(site where = site::current()) { assert_held(*this, where); }
};

}  // namespace wedge::adapt
#endif
