// Objects that are still in use when their last reference is dropped.
#pragma once

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "wedge/lock/guard.hpp"
#include "wedge/lock/mutex.hpp"
#include "wedge/lock/work.hpp"
#include "wedge/model/reservation.hpp"

namespace wedge {

/// Frees an object at once if it is idle and its reservation can be taken by trying. Otherwise a
/// worker frees it, which may wait for both (Linux since 6.2: ttm_bo_delayed_delete). So the last
/// reference may be dropped anywhere, even in reclaim. An object has a member `resv`.
template <class Object>
class delayed_delete {
public:
    /// @param free  (Object&), called with the reservation held
    explicit delayed_delete(std::function<void(Object&)> free) : free_(std::move(free)) {}

    void drop(Object& one, site where = site::current()) {
        {
            const try_guard held(one.resv, where);
            if (held && one.resv.is_idle(fence_use::read, where)) return free_(one);
        }
        {
            const guard held(lock_, where);
            dropped_.push_back(&one);
            if (!worker_) worker_.emplace([this] { free_all(); }, "delete work");
        }
        worker_->queue(where);
    }

    /// Waits until the objects that were dropped before are freed.
    void drain(site where = site::current()) {
        {
            const guard held(lock_, where);
            if (!worker_) return;
        }
        worker_->flush(where);
    }

private:
    Object* next() {
        const guard held(lock_);
        if (dropped_.empty()) return nullptr;
        Object* const last = dropped_.back();
        dropped_.pop_back();
        return last;
    }
    void free_all() {
        while (Object* const one = next()) {
            const guard held(one->resv);
            one->resv.wait(fence_use::read);
            free_(*one);
        }
    }

    const std::function<void(Object&)> free_;
    mutex lock_{"ddestroy_lock"};
    std::vector<Object*> dropped_;  // guarded by lock_, as the next one
    // Made for the first object; an execution without one needs no task.
    std::optional<work> worker_;
};

}  // namespace wedge
