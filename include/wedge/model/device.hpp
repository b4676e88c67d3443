// A GPU driver with two buffer objects under memory pressure, as a workload.
#pragma once

#include <array>
#include <stdexcept>

#include "wedge/model/designs.hpp"
#include "wedge/model/mapping.hpp"
#include "wedge/model/memory.hpp"
#include "wedge/model/mmap_lock.hpp"
#include "wedge/model/reservation.hpp"
#include "wedge/workload/workload.hpp"

namespace wedge {

/// A driver of design `D`. The zone holds one object's pages but not both, so that the second fault
/// reclaims, and so does whoever else allocates while an object is populated.
///
///     wedge::explore<wedge::device<mine>>(wedge::parse_program("fault | unmap"))
template <locking_design D>
struct device {
    static constexpr result expects = D::expects;
    static constexpr zone_limits limits{.pages = 8, .min = 1, .low = 3, .high = 5};
    static constexpr std::uint32_t object_pages = 6;  // one populated object wakes kswapd
    static constexpr std::uint32_t hog_pages = 4;

    device() {
        zone_.add(aging_);
        zone_.add(objects_);
        prime(D::startup_order);
    }

    /// A page fault of an object (Linux: ttm_bo_vm_fault): populates it under its reservation.
    void fault(std::uint32_t index) {
        const shared_guard mm(mmap_);
        object& bo = at(index);
        const guard held(bo.resv);
        populate(bo);
    }

    /// The driver needs the place of an object: waits for its reservation and throws it out.
    void evict(std::uint32_t index) {
        object& bo = at(index);
        const guard held(bo.resv);
        bo.resv.wait(fence_use::read);
        depopulate(bo);
    }

    /// munmap of the device's memory: the driver changes the tree of areas.
    void unmap() {
        const guard mm(mmap_);
        file_.change_tables(zone_, D::unmap_alloc);
    }

    /// kswapd if it was woken; with an argument one pass even if it was not.
    void kswapd(std::uint32_t forced) {
        if (forced != 0)
            zone_.kswapd_pass();
        else if (zone_.below_low())
            zone_.balance();
    }

    /// A process that takes much memory, and exits.
    void hog() {
        if (zone_.alloc(hog_pages, gfp_kernel)) zone_.free(hog_pages);
    }

    /// A hole is punched into a huge page of the mapping, which is split.
    void truncate() { file_.change_tables(zone_, D::split_alloc); }

    /// From here on the task's allocations may fail (1), may reclaim first (2), or both (3).
    void strain(std::uint32_t how) {
        put_under({.fail_allocations = (how & 1U) != 0, .force_reclaim = (how & 2U) != 0});
    }

    /// No page is lost, and none is twice.
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
        std::uint32_t pages = 0;  // by resv
    };

    /// Gives back the pages of populated objects (Linux: drm_gem_lru_scan).
    class object_shrinker final : public shrinker {
    public:
        explicit object_shrinker(device& of) : of_(of) {}
        void scan() override {
            for (object& bo : of_.bos_)
                static_cast<void>(detail::locked(bo.resv, D::shrinker_lock, site::current(), [&] {
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
        if (pages != limits.pages) throw std::logic_error("pages are lost or counted twice");
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
    page_aging aging_{file_, D::rmap_lock};
    object_shrinker objects_{*this};
};

}  // namespace wedge
