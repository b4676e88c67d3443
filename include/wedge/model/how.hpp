// Block or try: the choice of a design at each of its locks.
#pragma once

#include "wedge/lock/guard.hpp"

namespace wedge {

namespace design {

/// Whether a lock is waited for or only tried.
enum class how : unsigned char { block, try_ };

/// Whether an allocation comes before i_mmap is taken, or while it is held.
enum class alloc_at : unsigned char { before_imap, under_imap };

/// When a submission copies its arguments from user space, which may fault.
enum class copy_at : unsigned char { before_reservation, under_reservation };

/// Whether several reservations are taken under a ticket, or one after the other.
enum class several_by : unsigned char { ticket, nesting };

/// Which lock guards the list of an object's mappings, which a bind job changes.
enum class link_under : unsigned char { own_lock, reservation };

/// Whether the timeout of jobs is stopped before the lock of resets is taken, or while it is held.
enum class stop_at : unsigned char { before_reset_lock, under_reset_lock };

}  // namespace design

namespace detail {

/// Runs the body while the lock is held exclusively. Returns false if a try failed; the body did
/// not run then.
template <class Lock, class Body>
bool locked(Lock& lock, design::how way, site where, Body body) {
    if (way == design::how::try_) {
        const try_guard held(lock, where);
        if (!held) return false;
        body();
        return true;
    }
    const guard held(lock, where);
    body();
    return true;
}

/// As `with_lock`, for a shared hold.
template <class Lock, class Body>
bool locked_shared(Lock& lock, design::how way, site where, Body body) WEDGE_NO_THREAD_SAFETY {
    if (way == design::how::block) {
        const shared_guard held(lock, where);
        body();
        return true;
    }
    if (!lock.try_lock_shared(where)) return false;
    struct unlocker {
        Lock& lock;
        site where;
        ~unlocker() WEDGE_NO_THREAD_SAFETY { lock.unlock_shared(where); }
    } const held{lock, where};
    body();
    return true;
}

}  // namespace detail
}  // namespace wedge
