// A GPU driver with two buffer objects under memory pressure, as a workload.
#pragma once

#include <array>
#include <stdexcept>

#include "wedge/core/check.hpp"
#include "wedge/model/designs.hpp"
#include "wedge/model/mapping.hpp"
#include "wedge/model/memory.hpp"
#include "wedge/model/mmap_lock.hpp"
#include "wedge/model/reservation.hpp"
#include "wedge/workload/workload.hpp"

namespace wedge {

/// A driver of design `D`. The zone holds the pages of one object but not of both. So the second
/// fault reclaims, and so does any other allocation while an object is populated.
///
///     wedge::explore<wedge::device<mine>>(wedge::parse_program("fault | unmap"))
template <const locking_design& D>
struct device {
    static constexpr result expects = D.expects;
    static constexpr zone_limits limits{.pages = 8, .min = 1, .low = 3, .high = 5};
    static constexpr std::uint32_t object_pages = 6;  // a populated object wakes kswapd
    static constexpr std::uint32_t hog_pages = 4;

    device() {
        zone_.add(aging_);
        zone_.add(objects_);
        prime(D.startup_order);
    }

    /// Handles a page fault of an object: populates it under its reservation (Linux:
    /// ttm_bo_vm_fault).
    void fault(std::uint32_t index) {
        const shared_guard mm(mmap_);
        object& bo = at(index);
        const guard held(bo.resv);
        populate(bo);
    }

    /// Evicts an object because the driver needs its place: waits for its reservation.
    void evict(std::uint32_t index) {
        object& bo = at(index);
        const guard held(bo.resv);
        bo.resv.wait(fence_use::read);
        depopulate(bo);
    }

    /// Unmaps the device's memory (munmap): the driver changes the tree of areas.
    void unmap() {
        const guard mm(mmap_);
        file_.change_tables(zone_, D.unmap_alloc);
    }

    /// Runs as kswapd if it was woken; with an argument, makes one pass in any case.
    void kswapd(std::uint32_t forced) {
        if (forced != 0)
            zone_.kswapd_pass();
        else if (zone_.below_low())
            zone_.balance();
    }

    /// Runs a process that takes much memory and exits.
    void hog() {
        if (zone_.alloc(hog_pages, gfp_kernel)) zone_.free(hog_pages);
    }

    /// Punches a hole into a huge page of the mapping, which is split.
    void truncate() { file_.change_tables(zone_, D.split_alloc); }

    /// Puts the task's later allocations under pressure: they may fail (1), may reclaim first (2),
    /// or both (3).
    void strain(std::uint32_t how) {
        put_under({.fail_allocations = (how & 1U) != 0, .force_reclaim = (how & 2U) != 0});
    }

    /// Throws if a page was lost or counted twice.
    void check() const { check_pages(0); }

    static constexpr auto actions =
        wedge::actions(action<&device::fault>{"fault"}, action<&device::evict>{"evict"},
                       action<&device::unmap>{"unmap"}, action<&device::kswapd>{"kswapd"},
                       action<&device::hog>{"hog"}, action<&device::truncate>{"truncate"},
                       action<&device::strain>{"strain"});

protected:
    struct object {
        explicit object(ww_class& of) : resv(of) {}
        reservation resv;
        std::uint32_t pages = 0;  // guarded by resv
    };

    /// Frees the pages of populated objects (Linux: drm_gem_lru_scan).
    class object_shrinker final : public shrinker {
    public:
        explicit object_shrinker(device& of) : of_(of) {}
        void scan() override {
            for (object& bo : of_.bos_)
                static_cast<void>(detail::locked(bo.resv, D.shrinker_lock, site::current(), [&] {
                    if (bo.resv.is_idle(fence_use::read)) of_.depopulate(bo);
                }));
        }

    private:
        device& of_;
    };

    /// @param others  pages that belong to no object
    void check_pages(std::uint32_t others) const {
        std::uint32_t pages = zone_.free_pages() + others;
        for (const object& bo : bos_) pages += bo.pages;
        if (pages != limits.pages)
            detail::raise<std::logic_error>("pages are lost or counted twice");
    }

    object& at(std::uint32_t index) { return bos_[index % bos_.size()]; }

    void populate(object& bo) {
        if (bo.pages == 0 && zone_.alloc(object_pages, gfp_kernel)) bo.pages = object_pages;
    }
    void depopulate(object& bo) {
        if (bo.pages == 0) return;
        file_.unmap_range();
        zone_.free(std::exchange(bo.pages, 0));
    }

    memory zone_{limits};
    mmap_lock mmap_;
    mapping file_;
    ww_class resv_{"dma_resv"};
    std::array<object, 2> bos_{object(resv_), object(resv_)};
    page_aging aging_{file_, D.rmap_lock};
    object_shrinker objects_{*this};
};

}  // namespace wedge
