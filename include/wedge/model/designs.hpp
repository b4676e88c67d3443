// Locking designs of a GPU driver around reclaim, as traits: the difference to `upstream` is the
// bug.
#pragma once

#include <array>
#include <concepts>

#include "wedge/model/how.hpp"
#include "wedge/model/prime.hpp"
#include "wedge/workload/outcome.hpp"

namespace wedge {

namespace design {

/// The established order of Linux 5.8: mmap_lock (read) -> dma_resv -> reclaim and shrinkers ->
/// i_mmap_rwsem (write), its loop cut by shrinkers that only try reservations.
///
///     struct mine : wedge::design::upstream { static constexpr auto shrinker_lock = how::block; };
struct upstream {
    using how = design::how;
    using alloc_at = design::alloc_at;

    /// What a hunt in `device` of this design must come to.
    static constexpr auto expects = result::sound;

    /// How a shrinker takes the reservation of the object it evicts (drm_gem_lru_scan).
    static constexpr auto shrinker_lock = how::try_;
    /// How reclaim takes i_mmap when it ages mapped pages (page_referenced; tried since 5.19).
    static constexpr auto rmap_lock = how::block;
    /// Where the driver's unmap path allocates what it needs.
    static constexpr auto unmap_alloc = alloc_at::before_imap;
    /// Where splitting a huge page of the mapping takes its page tables from.
    static constexpr auto split_alloc = alloc_at::before_imap;
    /// What the driver states at start-up (dma_resv_lockdep).
    static constexpr auto startup_order = std::to_array<primed_lock>(
        {{"mmap_lock", mode::shared}, {"dma_resv"}, {"reclaim"}, {"i_mmap_rwsem"}});
};

/// The inversion of 2020: the driver's unmap path allocates under i_mmap, and its start-up
/// annotation says that this is the order; meanwhile kswapd walks i_mmap within reclaim.
struct imap_before_reclaim : upstream {
    static constexpr auto expects = result::deadlock;
    static constexpr auto unmap_alloc = alloc_at::under_imap;
    static constexpr auto startup_order = std::to_array<primed_lock>(
        {{"mmap_lock", mode::shared}, {"dma_resv"}, {"i_mmap_rwsem"}, {"reclaim"}});
};

/// The shrinker waits for reservations, which a fault holds while it allocates.
struct blocking_shrinker : upstream {
    static constexpr auto expects = result::deadlock;
    static constexpr auto shrinker_lock = how::block;
};

/// A truncation splits a huge page, and allocates the page tables for it under i_mmap.
struct alloc_under_imap : upstream {
    static constexpr auto expects = result::deadlock;
    static constexpr auto split_alloc = alloc_at::under_imap;
};

}  // namespace design

/// What `device` asks of a design.
template <class D>
concept locking_design = requires {
    { D::shrinker_lock } -> std::convertible_to<design::how>;
    { D::rmap_lock } -> std::convertible_to<design::how>;
    { D::unmap_alloc } -> std::convertible_to<design::alloc_at>;
    { D::split_alloc } -> std::convertible_to<design::alloc_at>;
    {std::span<const primed_lock>(D::startup_order)};
};

static_assert(locking_design<design::upstream>);

}  // namespace wedge
