// Lists of objects, least recently used first, which reclaim walks with trylocks.
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
/// The holders of an object's lock move the object, so the list's lock is taken inside of objects'
/// locks. A walk may only try those, or must release the list's lock first. Objects must outlive
/// every walk.
template <class Object, class Lock = spinlock>
class basic_lru {
public:
    explicit basic_lru(const char* name = "lru_lock") : lock_(name) {}

    /// Moves an object to the end, since it was used now. A second call changes nothing.
    void move_to_tail(Object& one, site where = site::current()) {
        const guard held(lock_, where);
        std::erase(order_, &one);
        order_.push_back(&one);
    }
    void remove(Object& one, site where = site::current()) {
        const guard held(lock_, where);
        std::erase(order_, &one);
    }

    /// Visits each object once, least recently used first and without the list's lock, until the
    /// visit returns false (Linux: drm_gem_lru_scan). No other walk visits these objects meanwhile.
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

    /// Returns the first object whose lock can be taken by trying, with the list locked; null if
    /// there is none (Linux: ttm_bo_evict_swapout_allowable). The caller holds the object's lock
    /// then.
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
    /// Puts visited objects back at the head of the list, unless another task has put them back.
    void put_back(std::vector<Object*>& shown, site where) {
        if (shown.empty()) return;
        const guard held(lock_, where);
        std::erase_if(shown, [&](Object* each) {
            return std::find(order_.begin(), order_.end(), each) != order_.end();
        });
        order_.insert(order_.begin(), shown.begin(), shown.end());
    }

    Lock lock_;
    std::vector<Object*> order_;  // guarded by lock_
};

template <class Object>
using lru = basic_lru<Object>;

/// A list without a lock, for at most `Size` objects. A user of an object tries its lock, and must
/// look again under that lock. A walk may visit an object that moves meanwhile twice or not at all.
template <class Object, std::size_t Size>
class lock_free_lru {
public:
    /// Adds an object; returns false if the list is full.
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

    /// Visits the objects that can be locked, from where the last walk ended (a second chance for
    /// the others).
    ///
    /// @param try_lock  (Object&) -> bool
    /// @param visit     (Object&) -> bool: go on; called with the object's lock, which it releases
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
