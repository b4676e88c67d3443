// The address space of a GPU: objects that one submission reserves together, and their mappings.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "wedge/lock/guard.hpp"
#include "wedge/lock/mutex.hpp"
#include "wedge/lock/spinlock.hpp"
#include "wedge/model/how.hpp"
#include "wedge/model/reservation.hpp"

namespace wedge {

/// An address space of a GPU (Linux: drm_gpuvm). It has a reservation, which page tables and
/// private objects share. External objects have reservations of their own. A submission takes all
/// of them (Linux: drm_gpuvm_exec_lock, drm_exec), and makes evicted objects resident again.
///
/// A bind job links mappings on the way to its fence. So the list of an object's mappings has a
/// lock of its own, which nobody holds over an allocation or a wait for a fence (Linux:
/// drm_gem_gpuva_set_lock).
///
/// An object has a member `resv`.
template <class Object>
class gpu_vm {
public:
    explicit gpu_vm(ww_class& of) : of_(of), resv_(of) {}

    reservation& resv() noexcept { return resv_; }

    /// Adds an external object, once. Called with the reservation of the address space held.
    void add(Object& one, site where = site::current()) {
        assert_held(resv_, where);
        if (std::find(external_.begin(), external_.end(), &one) == external_.end())
            external_.push_back(&one);
    }

    /// Notes that an object has lost its place. Called under the object's reservation. The next
    /// submission that reserves the object restores it.
    void evicted(Object& one, site where = site::current()) {
        const guard held(evict_lock_, where);
        if (std::find(evicted_.begin(), evicted_.end(), &one) == evicted_.end())
            evicted_.push_back(&one);
    }

    /// Takes the reservations of the address space and of its external objects, restores what was
    /// evicted, and runs the body.
    ///
    /// @param restore  (Object&), may allocate
    /// @param by       under a ticket, or one after the other as a broken driver does
    template <class Restore, class Body>
    void exec(Restore restore, Body body, design::several_by by = design::several_by::ticket,
              site where = site::current()) {
        const auto locked = [&] {
            while (Object* const each = next_evicted(where)) restore(*each);
            body();
        };
        if (by == design::several_by::nesting) {
            const guard space(resv_, where);
            return nested(0, locked, where);
        }
        const std::array space{&resv_};
        reserve(
            of_, space,
            [&](ww_ticket& ticket) WEDGE_NO_THREAD_SAFETY {
                for (Object* const each : external_) {
                    const ww_result got = each->resv.lock(ticket, where);
                    if (got == ww_result::back_off) return got;
                }
                locked();
                return ww_result::ok;
            },
            nullptr, where);
    }

    /// Links a mapping into the list of an object's mappings.
    void link(Object& one, design::link_under under, site where = site::current()) {
        if (under == design::link_under::reservation) {
            const guard held(one.resv, where);
            return link_locked(where);
        }
        link_locked(where);
    }
    /// Returns the number of mappings.
    std::uint32_t mappings(site where = site::current()) {
        const guard held(link_lock_, where);
        return mappings_;
    }

private:
    template <class Body>
    void nested(std::size_t number, Body& body, site where) {
        if (number == external_.size()) return body();
        const guard held(external_[number]->resv, where);
        nested(number + 1, body, where);
    }
    void link_locked(site where) {
        const guard held(link_lock_, where);
        ++mappings_;
    }
    /// Takes an object from the list of evicted objects. The caller holds the object's reservation.
    /// Returns null if the list contains no such object.
    Object* next_evicted(site where) {
        const guard held(evict_lock_, where);
        const auto next = std::find_first_of(evicted_.begin(), evicted_.end(), external_.begin(),
                                             external_.end());
        if (next == evicted_.end()) return nullptr;
        Object* const found = *next;
        evicted_.erase(next);
        return found;
    }

    ww_class& of_;
    reservation resv_;
    std::vector<Object*> external_;  // guarded by resv_
    spinlock evict_lock_{"gpuvm.evict_lock"};
    std::vector<Object*> evicted_;  // guarded by evict_lock_
    mutex link_lock_{"gpuva.lock"};
    std::uint32_t mappings_ = 0;  // guarded by link_lock_
};

}  // namespace wedge
