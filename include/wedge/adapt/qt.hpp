// Qt's locks, checked and explored. Without the package this header declares nothing.
#pragma once

#include "wedge/lock/checked.hpp"

#if __has_include(<QtCore/QMutex>)
#include <QtCore/QMutex>
#include <QtCore/QReadWriteLock>

namespace wedge::adapt {

/// A QReadWriteLock as a SharedLockable. Its readers wait behind a waiting writer.
class native_qt_rwlock {
public:
    void lock() { of_.lockForWrite(); }
    bool try_lock() { return of_.tryLockForWrite(); }
    void unlock() { of_.unlock(); }
    void lock_shared() { of_.lockForRead(); }
    bool try_lock_shared() { return of_.tryLockForRead(); }
    void unlock_shared() { of_.unlock(); }

private:
    QReadWriteLock of_;
};

}  // namespace wedge::adapt

template <>
struct wedge::lock_traits<wedge::adapt::native_qt_rwlock> {
    static constexpr lock_kind kind = lock_kind::shared_mutex;
    static constexpr mode shared_how = mode::shared;
};

namespace wedge::adapt {

/// QMutex, with its names as well as those of the standard.
class qt_mutex : public checked<QMutex> {
public:
    using checked<QMutex>::checked;

    bool tryLock(site where = site::current()) WEDGE_NO_THREAD_SAFETY { return try_lock(where); }
};

/// QReadWriteLock, with its names as well as those of the standard. `unlock` ends a hold for
/// writing, `unlock_shared` one for reading.
class qt_rwlock : public checked<native_qt_rwlock> {
public:
    using checked<native_qt_rwlock>::checked;

    void lockForRead(site where = site::current()) WEDGE_NO_THREAD_SAFETY { lock_shared(where); }
    bool tryLockForRead(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        return try_lock_shared(where);
    }
    void lockForWrite(site where = site::current()) WEDGE_NO_THREAD_SAFETY { lock(where); }
    bool tryLockForWrite(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        return try_lock(where);
    }
};

}  // namespace wedge::adapt
#endif
