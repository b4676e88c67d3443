// The reservation of a buffer object: a wound/wait lock, and the fences of the object's users.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "wedge/core/check.hpp"
#include "wedge/lock/assert.hpp"
#include "wedge/lock/atomic.hpp"
#include "wedge/lock/ww_mutex.hpp"
#include "wedge/model/job_fence.hpp"
#include "wedge/model/memory.hpp"

namespace wedge {

/// What a fence in a reservation stands for. A wait for one use also waits for the uses before it
/// (Linux: enum dma_resv_usage).
enum class fence_use : std::uint8_t {
    kernel,  ///< the object is being moved or cleared
    write,
    read,
};

class reservation;

/// Takes reservations under one ticket, in any order, and runs the body while it holds them all
/// (Linux: drm_exec). When it must back off, it releases all of them, takes the contended one, and
/// starts again. An object that is named twice is taken once.
///
/// @param body      (ww_ticket&), called once; may take further objects with `try_lock`. If it
///     returns a ww_result, it may take more under the ticket, and is called again after `back_off`
/// @param injected  where back-offs are simulated, with at least one object held (Linux:
///     DEBUG_WW_MUTEX_SLOWPATH)
template <class Body>
ww_result reserve(ww_class& of, std::span<reservation* const> objects, Body body,
                  fault_point* injected = nullptr, site where = site::current());

/// Guards a buffer object's place and backing (Linux: dma_resv). All reservations are of one class:
/// a task takes several under one ticket by `reserve`, or only tries the others. The holder may
/// allocate, so reclaim may only try it.
class reservation : public ww_mutex {
public:
    using ww_mutex::ww_mutex;

    void unlock(site where = site::current()) WEDGE_RELEASE() WEDGE_NO_THREAD_SAFETY {
        slots_ = 0;
        ww_mutex::unlock(where);
    }

    /// Reserves slots for fences while that may still fail. Needed again after each lock.
    ///
    /// @return false: there is no memory
    bool reserve_fences(std::uint32_t count, memory& zone, site where = site::current()) {
        assert_held(*this, where);
        if (!zone.alloc(0, gfp_kernel, where)) return false;  // less than a page
        if (const fence_list* const now = fences_.load(where)) {
            std::erase_if(unsignalled_,
                          [&](const entry& each) { return each.one->is_signalled(where); });
            if (unsignalled_.size() != now->size()) publish(where);
        }
        slots_ = std::max(slots_, count);
        return true;
    }

    /// Publishes a fence. Other tasks may wait for it from now on, so the caller must signal it
    /// whatever happens, and must not allocate before that.
    ///
    /// @throws std::logic_error  no slot was reserved under this hold
    void add_fence(job_fence& one, fence_use use, site where = site::current()) {
        assert_held(*this, where);
        if (slots_ == 0)
            detail::raise<std::logic_error>("a fence is added without a reserved slot");
        --slots_;
        unsignalled_.push_back({&one, use});
        publish(where);
    }

    /// Waits for the present fences of a use and of those before it. Needs no lock, and may be
    /// called with the reservation held: so a signaller must not take it.
    void wait(fence_use up_to, site where = site::current()) {
        if (const fence_list* const all = fences_.load(where))
            for (const entry& each : *all)
                if (each.use <= up_to) each.one->wait(where);
    }
    bool is_idle(fence_use up_to, site where = site::current()) {
        const fence_list* const all = fences_.load(where);
        return all == nullptr || std::all_of(all->begin(), all->end(), [&](const entry& each) {
                   return each.use > up_to || each.one->is_signalled(where);
               });
    }

private:
    template <class Body>
    friend ww_result reserve(ww_class&, std::span<reservation* const>, Body, fault_point*, site);

    struct entry {
        job_fence* one;
        fence_use use;
    };
    using fence_list = std::vector<entry>;

    /// Replaces the list of fences. Readers take no lock, and may look at an old list long after it
    /// was replaced (Linux: RCU).
    void publish(site where) {
        lists_.push_back(std::make_unique<fence_list>(unsignalled_));
        fences_.store(lists_.back().get(), where);
    }

    std::uint32_t slots_ = 0;  // reserved and unused; guarded by this lock, as the next two
    fence_list unsignalled_;
    std::vector<std::unique_ptr<fence_list>> lists_;
    atomic<const fence_list*> fences_{nullptr, "dma_resv_list"};
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
                if (each != objects.front() && injected != nullptr && injected->strikes("back off"))
                    return ww_result::back_off;
            }
            for (reservation* const each : objects) each->slots_ = 0;
            if constexpr (std::is_void_v<std::invoke_result_t<Body&, ww_ticket&>>) {
                body(ticket);
                return ww_result::ok;
            } else {
                return body(ticket);
            }
        },
        where);
}

}  // namespace wedge
