// The device's own memory: objects evict each other, under the ticket of the task that needs room.
#pragma once

#include <vector>

#include "wedge/lock/guard.hpp"
#include "wedge/lock/spinlock.hpp"
#include "wedge/model/how.hpp"
#include "wedge/model/reservation.hpp"

namespace wedge {

/// Room for a number of objects, from which the least recently used are evicted (Linux:
/// ttm_bo_evict_first). An object has a member `resv`, under which it is placed and evicted.
template <class Object>
class vram {
public:
    explicit vram(std::size_t room) : room_(room) {}

    /// Places an object whose reservation the ticket holds; it was used now.
    ///
    /// Victims are tried under the list's lock. If all of them are busy, it waits for the first one
    /// without that lock and under the ticket, and releases it again, since it may have moved
    /// (Linux: ttm_mem_evict_wait_busy). `by` says whether a design does so, or just waits.
    ///
    /// @param throw_out  (Object&), with the victim's reservation held; waits for its fences
    /// @return `back_off`: the ticket must back off; `already`: the ticket holds all others itself
    template <class ThrowOut>
    [[nodiscard]] ww_result place(Object& one, ww_ticket& ticket, design::several_by by,
                                  ThrowOut throw_out,
                                  site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        while (!try_place(one, where)) {
            const candidates found = look_for_victim(ticket, where);
            if (found.victim != nullptr) {
                throw_out(*found.victim);
                found.victim->resv.unlock(where);
            } else if (found.busy == nullptr) {
                if (found.are_all_mine) return ww_result::already;
            } else if (by == design::several_by::nesting) {
                const guard until_free(found.busy->resv, where);
            } else {
                const ww_result got = found.busy->resv.lock(ticket, where);
                if (got != ww_result::ok) return got;
                found.busy->resv.unlock(where);
            }
        }
        return ww_result::ok;
    }

    /// Removes an object that needs no room any more. Called under its reservation.
    void remove(Object& one, site where = site::current()) {
        const guard held(lru_lock_, where);
        std::erase(order_, &one);
    }

private:
    bool try_place(Object& one, site where) {
        const guard held(lru_lock_, where);
        std::erase(order_, &one);
        if (order_.size() == room_) return false;
        order_.push_back(&one);
        return true;
    }

    struct candidates {
        Object* victim = nullptr;  ///< taken off the list, with its reservation held
        Object* busy = nullptr;    ///< the first one that another task holds
        bool are_all_mine = false;
    };
    candidates look_for_victim(ww_ticket& ticket, site where) WEDGE_NO_THREAD_SAFETY {
        const guard held(lru_lock_, where);
        candidates found{.are_all_mine = !order_.empty()};
        for (auto each = order_.begin(); each != order_.end(); ++each) {
            if (ticket.holds((*each)->resv)) continue;
            found.are_all_mine = false;
            if ((*each)->resv.try_lock(where)) {
                found.victim = *each;
                order_.erase(each);
                break;
            }
            if (found.busy == nullptr) found.busy = *each;
        }
        return found;
    }

    const std::size_t room_;
    spinlock lru_lock_{"ttm_lru_lock"};
    std::vector<Object*> order_;  // guarded by lru_lock_
};

}  // namespace wedge
