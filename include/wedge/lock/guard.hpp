// Scoped holds. They report the place where they stand in the source.
#pragma once

#include "wedge/lock/checked.hpp"

namespace wedge {

/// Holds a lock exclusively until the end of the scope.
template <class L>
class WEDGE_SCOPED_CAPABILITY guard {
public:
    [[gnu::always_inline]] explicit guard(L& lock, site where = site::current()) WEDGE_ACQUIRE(lock)
        : lock_(lock) {
        lock.lock(where);
    }
    guard(L& lock, under annotation, site where = site::current()) WEDGE_ACQUIRE(lock)
        : lock_(lock) {
        lock.lock(annotation, where);
    }
    [[gnu::always_inline]] ~guard() WEDGE_RELEASE() { lock_.unlock(); }
    guard(const guard&) = delete;
    guard& operator=(const guard&) = delete;

    /// Returns the lock, which `condition::wait` releases and takes again.
    L& lock() const noexcept { return lock_; }

private:
    L& lock_;
};

/// Holds a lock shared until the end of the scope.
template <class L>
class WEDGE_SCOPED_CAPABILITY shared_guard {
public:
    [[gnu::always_inline]] explicit shared_guard(L& lock, site where = site::current())
        WEDGE_ACQUIRE_SHARED(lock)
        : lock_(lock) {
        lock.lock_shared(where);
    }
    [[gnu::always_inline]] ~shared_guard() WEDGE_RELEASE_GENERIC() { lock_.unlock_shared(); }
    shared_guard(const shared_guard&) = delete;
    shared_guard& operator=(const shared_guard&) = delete;

private:
    L& lock_;
};

/// Holds a lock until the end of the scope, if it is free at once.
///
///     if (wedge::try_guard held(lru); held) …
template <class L>
class try_guard {
public:
    explicit try_guard(L& lock, site where = site::current())
        : lock_(lock), is_held_(lock.try_lock(where)) {}
    ~try_guard() WEDGE_NO_THREAD_SAFETY {
        if (is_held_) lock_.unlock();
    }
    try_guard(const try_guard&) = delete;
    try_guard& operator=(const try_guard&) = delete;

    explicit operator bool() const noexcept { return is_held_; }

private:
    L& lock_;
    const bool is_held_;
};

}  // namespace wedge
