// Lists of objects from the longest unused to the latest, walked by reclaim with trylocks.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "wedge/lock/atomic.hpp"
#include "wedge/lock/guard.hpp"
#include "wedge/lock/spinlock.hpp"

namespace wedge {

/// A list under a lock (Linux: drm_gem_lru with a mutex, TTM's with a spinlock).
///
/// The holders of objects' locks move them, so this lock is inside of those: a walk may only try
/// them, or must let this one go first. Objects must outlive every walk.
template <class Object, class Lock = spinlock>
class basic_lru {
public:
    explicit basic_lru(const char* name = "lru_lock") : lock_(name) {}

    /// It was used now. Twice in a row is as good as once.
    void move_to_tail(Object& one, site where = site::current()) {
        const guard held(lock_, where);
        std::erase(order_, &one);
        order_.push_back(&one);
    }
    void remove(Object& one, site where = site::current()) {
        const guard held(lock_, where);
        std::erase(order_, &one);
    }

    /// Shows each object once, without the list's lock, the longest unused first, until the visit
    /// says that it is enough (Linux: drm_gem_lru_scan). Objects on show are in nobody else's walk.
    ///
    /// @param visit  (Object&) -> bool: go on
    template <class Visit>
    void walk(Visit visit, site where = site::current()) {
        std::vector<Object*> on_show;
        while (Object* const next = take_first(where)) {
            on_show.push_back(next);
            if (!visit(*next)) break;
        }
        put_back(on_show, where);
    }

    /// The first object whose lock can be had, which is tried with the list locked; or null
    /// (Linux: ttm_bo_evict_swapout_allowable). The caller holds its lock then.
    template <class TryLock>
    Object* first_locked(TryLock try_lock, site where = site::current()) {
        const guard held(lock_, where);
        const auto found = std::find_if(order_.begin(), order_.end(),
                                        [&](Object* each) { return try_lock(*each); });
        return found == order_.end() ? nullptr : *found;
    }

private:
    Object* take_first(site where) {
        const guard held(lock_, where);
        if (order_.empty()) return nullptr;
        Object* const first = order_.front();
        order_.erase(order_.begin());
        return first;
    }
    /// To the head of the list, unless somebody has put them back by now.
    void put_back(std::vector<Object*>& shown, site where) {
        if (shown.empty()) return;
        const guard held(lock_, where);
        std::erase_if(shown, [&](Object* each) {
            return std::find(order_.begin(), order_.end(), each) != order_.end();
        });
        order_.insert(order_.begin(), shown.begin(), shown.end());
    }

    Lock lock_;
    std::vector<Object*> order_;  // by lock_
};

template <class Object>
using lru = basic_lru<Object>;

/// A list without a lock, for so many objects: who wants one tries its lock, and whatever was
/// true of it before must be looked at again under that. A walk sees an object that moves
/// meanwhile twice or not at all.
template <class Object, std::size_t Size>
class lock_free_lru {
public:
    /// False: it is full.
    bool add(Object& one, site where = site::current()) {
        for (atomic<Object*>& slot : slots_) {
            Object* nobody = nullptr;
            if (slot.compare_exchange(nobody, &one, where)) return true;
        }
        return false;
    }
    void remove(Object& one, site where = site::current()) {
        for (atomic<Object*>& slot : slots_) {
            Object* known = &one;
            if (slot.compare_exchange(known, nullptr, where)) return;
        }
    }

    /// Shows what can be locked, from where the last walk ended (a second chance for the others).
    ///
    /// @param try_lock  (Object&) -> bool
    /// @param visit     (Object&) -> bool: go on; called with the object's lock, which it drops
    template <class TryLock, class Visit>
    void walk(TryLock try_lock, Visit visit, site where = site::current()) {
        const std::size_t start = hand_.fetch_add(1, where);
        for (std::size_t i = 0; i < Size; ++i) {
            Object* const one = slots_[(start + i) % Size].load(where);
            if (one != nullptr && try_lock(*one) && !visit(*one)) return;
        }
    }

private:
    std::array<atomic<Object*>, Size> slots_;
    atomic<std::size_t> hand_{0, "lru_hand"};
};

}  // namespace wedge
