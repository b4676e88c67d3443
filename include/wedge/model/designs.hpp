// Locking designs of a GPU driver around reclaim, as values. A broken design differs from
// `upstream` by its bug alone.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "wedge/model/gfp.hpp"
#include "wedge/model/how.hpp"
#include "wedge/model/prime.hpp"
#include "wedge/workload/outcome.hpp"

namespace wedge {

namespace design {

/// The order of Linux 5.8 (dma_resv_lockdep).
inline constexpr auto usual_order = std::to_array<primed_lock>(
    {{"mmap_lock", mode::shared}, {"dma_resv"}, {"reclaim"}, {"i_mmap_rwsem"}});

/// The order of fences: reservations, reclaim and notifiers may wait for them.
inline constexpr auto usual_fence_order = std::to_array<primed_lock>({{"mmap_lock", mode::shared},
                                                                      {"dma_resv_acquire"},
                                                                      {"dma_resv"},
                                                                      {"reclaim"},
                                                                      {"mmu_notifier"},
                                                                      {"signalling"}});

}  // namespace design

/// How a driver uses the roles. What a design does not name is as in `design::upstream`. The name
/// of the constant is the name of the design in reports.
///
///     inline constexpr wedge::locking_design mine{.shrinker_lock = wedge::design::how::block};
struct locking_design {
    /// The result that a hunt in a device of this design must have.
    result expects = result::sound;

    /// How a shrinker takes the reservation of the object it evicts (drm_gem_lru_scan).
    design::how shrinker_lock = design::how::try_;
    /// How reclaim takes i_mmap when it ages mapped pages (page_referenced; tried since 5.19).
    design::how rmap_lock = design::how::block;
    /// Where the driver's unmap path allocates.
    design::alloc_at unmap_alloc = design::alloc_at::before_imap;
    /// Where the split of a huge page of the mapping allocates its page tables.
    design::alloc_at split_alloc = design::alloc_at::before_imap;
    /// What the driver states at start-up. The array must be a constant too.
    std::span<const primed_lock> startup_order = design::usual_order;

    // Only `gpu_device` asks for what follows.

    /// When a submission copies from user space.
    design::copy_at submit_copy = design::copy_at::before_reservation;
    /// How a submission takes the reservations of its objects.
    design::several_by submit_lock = design::several_by::ticket;
    /// How it waits for an object that it wants to evict from the device's memory.
    design::several_by evict_lock = design::several_by::ticket;
    /// The flags with which a job allocates, whose fence is published already.
    gfp job_alloc = gfp_nowait;
    /// The allocation scope in which recovery makes its core dump, under the lock that jobs take.
    std::uint8_t recovery_scope = scope::noreclaim;
    /// Whether the callback of a notifier takes the reservation of the object.
    bool notifier_reserves = false;
    /// The stated order of fences. The array must be a constant too.
    std::span<const primed_lock> fence_order = design::usual_fence_order;

    // Only `vm_device` asks for what follows, and for the order of fences.

    /// How a submission takes the reservations of an address space.
    design::several_by exec_lock = design::several_by::ticket;
    /// Which lock a bind job takes to link a mapping.
    design::link_under link_under = design::link_under::own_lock;
    /// Where suspend stops the timeout of jobs, whose handler resets the device.
    design::stop_at timeout_stop = design::stop_at::before_reset_lock;
};

namespace design {

/// The established order of Linux 5.8: mmap_lock (read) -> dma_resv -> reclaim and shrinkers ->
/// i_mmap_rwsem (write). Shrinkers cut its cycle, since they only try reservations.
inline constexpr locking_design upstream{};

inline constexpr auto order_of_2020 = std::to_array<primed_lock>(
    {{"mmap_lock", mode::shared}, {"dma_resv"}, {"i_mmap_rwsem"}, {"reclaim"}});
/// The inversion of 2020: the driver's unmap path allocates under i_mmap, and its annotation at
/// start-up states this order, while kswapd walks i_mmap within reclaim.
inline constexpr locking_design imap_before_reclaim{.expects = result::deadlock,
                                                    .unmap_alloc = alloc_at::under_imap,
                                                    .startup_order = order_of_2020};

/// The shrinker waits for reservations, which a fault holds while it allocates.
inline constexpr locking_design blocking_shrinker{.expects = result::deadlock,
                                                  .shrinker_lock = how::block};

/// A truncation splits a huge page, and allocates the page tables for it under i_mmap.
inline constexpr locking_design alloc_under_imap{.expects = result::deadlock,
                                                 .split_alloc = alloc_at::under_imap};

/// A submission copies from user space while it holds reservations; a fault handler waits for these
/// under the mmap lock (amdgpu's MQD dump in debugfs, msm's submit).
inline constexpr locking_design copy_under_reservation{.expects = result::deadlock,
                                                       .submit_copy = copy_at::under_reservation};

/// A submission takes two reservations one after the other (amdgpu's devcoredump). Two submissions
/// deadlock; a single one is a finding before that.
inline constexpr locking_design without_ticket{.expects = result::finding,
                                               .submit_lock = several_by::nesting};

/// A validation makes room in the device's memory: with its own object held it waits for a busy
/// object without its ticket (TTM before ttm_mem_evict_wait_busy).
inline constexpr locking_design eviction_without_ticket{.expects = result::finding,
                                                        .evict_lock = several_by::nesting};

/// A job allocates with GFP_KERNEL before it signals its fence, for which reclaim may wait
/// (amdgpu's job_run until 2020).
inline constexpr locking_design job_allocates{.expects = result::deadlock, .job_alloc = gfp_kernel};

/// A job allocates with NORETRY, which still reclaims (etnaviv's core dump).
inline constexpr locking_design job_allocates_noretry{.expects = result::deadlock,
                                                      .job_alloc = gfp_noio | gfp::noretry};

/// Recovery allocates under the lock that jobs take; its reclaim waits for a job (msm's recovery
/// worker under gpu->lock).
inline constexpr locking_design recovery_allocates{.expects = result::deadlock,
                                                   .recovery_scope = 0};

/// The notifier takes the reservation, whose holders allocate and so call the notifier (amdgpu's
/// MES and KFD locks).
inline constexpr locking_design notifier_takes_reservation{.expects = result::deadlock,
                                                           .notifier_reserves = true};

/// A submission locks the objects of its address space one after the other, without a ticket.
inline constexpr locking_design exec_without_ticket{.expects = result::finding,
                                                    .exec_lock = several_by::nesting};

/// A bind job takes the reservation to link a mapping, while holders of reservations wait for its
/// fence (the list of mappings before drm_gem_gpuva_set_lock).
inline constexpr locking_design link_under_reservation{.expects = result::deadlock,
                                                       .link_under = link_under::reservation};

/// Suspend stops the timeout under the lock that the handler of the timeout takes.
inline constexpr locking_design timeout_stopped_under_lock{
    .expects = result::deadlock, .timeout_stop = stop_at::under_reset_lock};

}  // namespace design
}  // namespace wedge
