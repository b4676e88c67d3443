// The reservation of a buffer object: a wound/wait lock, and the fences of who uses the object.
#pragma once

#include <array>
#include <span>
#include <stdexcept>

#include "wedge/lock/assert.hpp"
#include "wedge/lock/atomic.hpp"
#include "wedge/lock/ww_mutex.hpp"
#include "wedge/model/job_fence.hpp"
#include "wedge/model/memory.hpp"

namespace wedge {

/// What a fence in a reservation stands for, and who must wait for it: whoever asks for one waits
/// for those before it too (Linux: enum dma_resv_usage).
enum class fence_use : std::uint8_t {
    kernel,  ///< the object is being moved or cleared
    write,
    read,
};
inline constexpr std::size_t fence_uses = 3;

class reservation;

/// Takes reservations under one ticket, in any order, and runs the body while it holds them all
/// (Linux: drm_exec). Who must back off unlocks all of them, takes the contended one, and starts
/// again; an object that is named twice is taken once.
///
/// @param body      (ww_ticket&), called once; may take further objects with `try_lock`
/// @param injected  where back-offs are made up, with at least one object held
///                  (Linux: DEBUG_WW_MUTEX_SLOWPATH)
template <class Body>
ww_result reserve(ww_class& of, std::span<reservation* const> objects, Body body,
                  fault_point* injected = nullptr, site where = site::current());

/// Guards a buffer object's place and backing (Linux: dma_resv). All reservations are of one
/// class: several are taken under one ticket, by `reserve`, or the others are only tried. The
/// holder may allocate, so reclaim may only try it.
class reservation : public ww_mutex {
public:
    using ww_mutex::ww_mutex;

    void unlock(site where = site::current()) WEDGE_RELEASE() WEDGE_NO_THREAD_SAFETY {
        slots_ = 0;
        ww_mutex::unlock(where);
    }

    /// Makes room for fences, while it may still fail; needed anew after each lock.
    ///
    /// @return false: there is no memory
    bool reserve_fences(std::uint32_t count, memory& zone, site where = site::current()) {
        assert_held(*this, where);
        if (!zone.alloc(0, gfp_kernel, where)) return false;  // less than a page
        slots_ = std::max(slots_, count);
        return true;
    }

    /// From now on others may wait for the fence, so the caller must signal it whatever happens:
    /// it allocates no more. Takes the place of an earlier one for the same use, which the device
    /// must signal first.
    ///
    /// @throws std::logic_error  no slot was reserved under this hold
    void add_fence(job_fence& one, fence_use use, site where = site::current()) {
        assert_held(*this, where);
        if (slots_ == 0) throw std::logic_error("a fence is added without a reserved slot");
        --slots_;
        slot(use).store(&one, where);
    }

    /// Waits for the fences of a use and those before it. Needs no lock, and may be called with
    /// the reservation held: so whoever signals must not take it.
    void wait(fence_use up_to, site where = site::current()) {
        for (std::size_t i = 0; i <= static_cast<std::size_t>(up_to); ++i)
            if (job_fence* const one = fences_[i].load(where)) one->wait(where);
    }
    bool is_idle(fence_use up_to, site where = site::current()) {
        for (std::size_t i = 0; i <= static_cast<std::size_t>(up_to); ++i)
            if (job_fence* const one = fences_[i].load(where); one && !one->is_signalled(where))
                return false;
        return true;
    }

private:
    template <class Body>
    friend ww_result reserve(ww_class&, std::span<reservation* const>, Body, fault_point*, site);

    atomic<job_fence*>& slot(fence_use use) { return fences_[static_cast<std::size_t>(use)]; }

    std::uint32_t slots_ = 0;  // reserved and not used; by this
    std::array<atomic<job_fence*>, fence_uses> fences_;
};

template <class Body>
ww_result reserve(ww_class& of, std::span<reservation* const> objects, Body body,
                  fault_point* injected, site where) {
    return transaction(
        of,
        [&](ww_ticket& ticket) {
            for (reservation* const each : objects) {
                const ww_result got = each->lock(ticket, where);
                if (got == ww_result::back_off) return got;
                if (each != objects.front() && injected != nullptr &&
                    injected->strikes("back off"))
                    return ww_result::back_off;
            }
            for (reservation* const each : objects) each->slots_ = 0;
            body(ticket);
            return ww_result::ok;
        },
        where);
}

}  // namespace wedge
