// Locking designs of a GPU driver around reclaim, as traits types. A broken design differs from
// `upstream` by its bug alone.
#pragma once

#include <array>
#include <concepts>

#include "wedge/model/gfp.hpp"
#include "wedge/model/how.hpp"
#include "wedge/model/prime.hpp"
#include "wedge/workload/outcome.hpp"

namespace wedge {

namespace design {

/// The established order of Linux 5.8: mmap_lock (read) -> dma_resv -> reclaim and shrinkers ->
/// i_mmap_rwsem (write). Shrinkers cut its cycle, since they only try reservations.
///
///     struct mine : wedge::design::upstream { static constexpr auto shrinker_lock = how::block; };
struct upstream {
    using how = design::how;
    using alloc_at = design::alloc_at;
    using copy_at = design::copy_at;
    using several_by = design::several_by;

    /// The result that a hunt in `device` of this design must have.
    static constexpr auto expects = result::sound;

    /// How a shrinker takes the reservation of the object it evicts (drm_gem_lru_scan).
    static constexpr auto shrinker_lock = how::try_;
    /// How reclaim takes i_mmap when it ages mapped pages (page_referenced; tried since 5.19).
    static constexpr auto rmap_lock = how::block;
    /// Where the driver's unmap path allocates.
    static constexpr auto unmap_alloc = alloc_at::before_imap;
    /// Where the split of a huge page of the mapping allocates its page tables.
    static constexpr auto split_alloc = alloc_at::before_imap;
    /// What the driver states at start-up (dma_resv_lockdep).
    static constexpr auto startup_order = std::to_array<primed_lock>(
        {{"mmap_lock", mode::shared}, {"dma_resv"}, {"reclaim"}, {"i_mmap_rwsem"}});

    // Only `gpu_device` asks for what follows.

    /// When a submission copies from user space.
    static constexpr auto submit_copy = copy_at::before_reservation;
    /// How a submission takes the reservations of its objects.
    static constexpr auto submit_lock = several_by::ticket;
    /// How it waits for an object that it wants to evict from the device's memory.
    static constexpr auto evict_lock = several_by::ticket;
    /// The flags with which a job allocates, whose fence is published already.
    static constexpr auto job_alloc = gfp_nowait;
    /// The allocation scope in which recovery makes its core dump, under the lock that jobs take.
    static constexpr std::uint8_t recovery_scope = scope::noreclaim;
    /// Whether the callback of a notifier takes the reservation of the object.
    static constexpr bool notifier_reserves = false;
    /// The stated order of fences: reservations, reclaim and notifiers may wait for them.
    static constexpr auto fence_order = std::to_array<primed_lock>({{"mmap_lock", mode::shared},
                                                                    {"dma_resv_acquire"},
                                                                    {"dma_resv"},
                                                                    {"reclaim"},
                                                                    {"mmu_notifier"},
                                                                    {"signalling"}});
};

/// The inversion of 2020: the driver's unmap path allocates under i_mmap, and its annotation at
/// start-up states this order, while kswapd walks i_mmap within reclaim.
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

/// A submission copies from user space while it holds reservations; a fault handler waits for these
/// under the mmap lock (amdgpu's MQD dump in debugfs, msm's submit).
struct copy_under_reservation : upstream {
    static constexpr auto expects = result::deadlock;
    static constexpr auto submit_copy = copy_at::under_reservation;
};

/// A submission takes two reservations one after the other (amdgpu's devcoredump). Two submissions
/// deadlock; a single one is a finding before that.
struct without_ticket : upstream {
    static constexpr auto expects = result::finding;
    static constexpr auto submit_lock = several_by::nesting;
};

/// A validation makes room in the device's memory: with its own object held it waits for a busy
/// object without its ticket (TTM before ttm_mem_evict_wait_busy).
struct eviction_without_ticket : upstream {
    static constexpr auto expects = result::finding;
    static constexpr auto evict_lock = several_by::nesting;
};

/// A job allocates with GFP_KERNEL before it signals its fence, for which reclaim may wait
/// (amdgpu's job_run until 2020).
struct job_allocates : upstream {
    static constexpr auto expects = result::deadlock;
    static constexpr auto job_alloc = gfp_kernel;
};

/// A job allocates with NORETRY, which still reclaims (etnaviv's core dump).
struct job_allocates_noretry : upstream {
    static constexpr auto expects = result::deadlock;
    static constexpr auto job_alloc = gfp_noio | gfp::noretry;
};

/// Recovery allocates under the lock that jobs take; its reclaim waits for a job (msm's recovery
/// worker under gpu->lock).
struct recovery_allocates : upstream {
    static constexpr auto expects = result::deadlock;
    static constexpr std::uint8_t recovery_scope = 0;
};

/// The notifier takes the reservation, whose holders allocate and so call the notifier (amdgpu's
/// MES and KFD locks).
struct notifier_takes_reservation : upstream {
    static constexpr auto expects = result::deadlock;
    static constexpr bool notifier_reserves = true;
};

}  // namespace design

namespace detail {

/// Equal for equal constants only. It is a type because comparing two addresses is no constant
/// expression with gcc's UndefinedBehaviorSanitizer.
template <const auto* Constant>
struct place_of {};
template <const auto* One, const auto* Other>
inline constexpr bool are_two = !std::same_as<place_of<One>, place_of<Other>>;

/// Whether `D`, or a base between `D` and `upstream`, overrides a member of `upstream`.
template <class D>
constexpr bool overrides_something() {
    using design::upstream;
    return are_two<&D::shrinker_lock, &upstream::shrinker_lock> ||
           are_two<&D::rmap_lock, &upstream::rmap_lock> ||
           are_two<&D::unmap_alloc, &upstream::unmap_alloc> ||
           are_two<&D::split_alloc, &upstream::split_alloc> ||
           are_two<&D::startup_order, &upstream::startup_order> ||
           are_two<&D::submit_copy, &upstream::submit_copy> ||
           are_two<&D::submit_lock, &upstream::submit_lock> ||
           are_two<&D::evict_lock, &upstream::evict_lock> ||
           are_two<&D::job_alloc, &upstream::job_alloc> ||
           are_two<&D::recovery_scope, &upstream::recovery_scope> ||
           are_two<&D::notifier_reserves, &upstream::notifier_reserves> ||
           are_two<&D::fence_order, &upstream::fence_order>;
}

/// A type that stands for one constant.
template <class T, T Value>
struct constant {};

}  // namespace detail

/// Whether a type derived from `upstream` overrides something. If it overrides nothing, a name is
/// misspelt.
template <class D>
concept overrides_something_of_upstream =
    std::same_as<D, design::upstream> || !std::derived_from<D, design::upstream> ||
    detail::overrides_something<D>();

template <class D>
concept has_constants_of_a_design = requires {
    typename detail::constant<result, D::expects>;
    typename detail::constant<design::how, D::shrinker_lock>;
    typename detail::constant<design::how, D::rmap_lock>;
    typename detail::constant<design::alloc_at, D::unmap_alloc>;
    typename detail::constant<design::alloc_at, D::split_alloc>;
    std::span<const primed_lock>(D::startup_order);
};

/// What `device` needs of a design: static constants of these types.
template <class D>
concept locking_design = has_constants_of_a_design<D> && overrides_something_of_upstream<D>;

/// What `gpu_device` needs of a design in addition.
template <class D>
concept gpu_design = locking_design<D> && requires {
    typename detail::constant<design::copy_at, D::submit_copy>;
    typename detail::constant<design::several_by, D::submit_lock>;
    typename detail::constant<design::several_by, D::evict_lock>;
    typename detail::constant<gfp, D::job_alloc>;
    typename detail::constant<std::uint8_t, D::recovery_scope>;
    typename detail::constant<bool, D::notifier_reserves>;
    std::span<const primed_lock>(D::fence_order);
};

static_assert(gpu_design<design::upstream>);

}  // namespace wedge
