// A readers-writer lock with an upgradable shared hold (boost's meaning of it).
#pragma once

#include "wedge/lock/mutex.hpp"
#include "wedge/lock/shared_mutex.hpp"

namespace wedge {

/// A readers-writer lock of which one reader may hold the right to become the writer.
///
///     m.lock_upgrade(); if (is_stale()) { m.unlock_upgrade_and_lock(); …; m.unlock(); }
///
/// An upgradable hold is shared with readers, and excludes writers and other upgradable holds. The
/// upgrade waits until the readers have left; no writer comes in between. It blocks like two locks
/// that are always taken in one order, so reports name two classes: that of the lock and
/// `upgrade of` it.
class upgrade_mutex {
public:
    upgrade_mutex(site where = site::current()) : upgrade_mutex(lock_class::at(where), where) {}
    explicit upgrade_mutex(const char* name, site where = site::current())
        : upgrade_mutex(lock_class(name), where) {}
    upgrade_mutex(const upgrade_mutex&) = delete;
    upgrade_mutex& operator=(const upgrade_mutex&) = delete;

    void lock(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        right_.lock(where);
        data_.lock(where);
    }
    bool try_lock(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        if (!right_.try_lock(where)) return false;
        if (data_.try_lock(where)) return true;
        right_.unlock(where);
        return false;
    }
    void unlock(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        data_.unlock(where);
        right_.unlock(where);
    }

    void lock_shared(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        data_.lock_shared(where);
    }
    bool try_lock_shared(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        return data_.try_lock_shared(where);
    }
    void unlock_shared(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        data_.unlock_shared(where);
    }

    void lock_upgrade(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        right_.lock(where);
        data_.lock_shared(where);
    }
    bool try_lock_upgrade(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        if (!right_.try_lock(where)) return false;
        if (data_.try_lock_shared(where)) return true;
        right_.unlock(where);
        return false;
    }
    void unlock_upgrade(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        data_.unlock_shared(where);
        right_.unlock(where);
    }
    /// Makes the task the writer. Waits until all readers have left.
    void unlock_upgrade_and_lock(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        data_.unlock_shared(where);  // only the holder of the right may become the writer
        data_.lock(where);
    }
    /// Makes the writer a reader with the right to write again. Never blocks.
    void unlock_and_lock_upgrade(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        data_.downgrade(where);
    }
    /// Makes the writer a plain reader. Never blocks.
    void unlock_and_lock_shared(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        data_.downgrade(where);
        right_.unlock(where);
    }
    /// Gives up the right to write, and keeps the shared hold. Never blocks.
    void unlock_upgrade_and_lock_shared(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        right_.unlock(where);
    }

private:
    upgrade_mutex(lock_class cls, site)
        : right_(lock_class(("upgrade of " + cls.name()).c_str())), data_(cls) {}

    mutex right_;  // of the writer, or of the one reader that may become the writer
    shared_mutex data_;
};

/// Holds a lock with the right to write until the end of the scope.
class upgrade_guard {
public:
    explicit upgrade_guard(upgrade_mutex& m, site where = site::current()) : mutex_(m) {
        m.lock_upgrade(where);
    }
    upgrade_guard(const upgrade_guard&) = delete;
    upgrade_guard& operator=(const upgrade_guard&) = delete;
    ~upgrade_guard() { is_writer_ ? mutex_.unlock({}) : mutex_.unlock_upgrade({}); }

    /// Makes the task the writer until the end of the scope.
    void upgrade(site where = site::current()) {
        mutex_.unlock_upgrade_and_lock(where);
        is_writer_ = true;
    }

private:
    upgrade_mutex& mutex_;
    bool is_writer_ = false;
};

}  // namespace wedge
