// What the locks of a report are in the kernel: reclaim, a fence, a work, or a plain lock.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "explain/report.hpp"

namespace wedge::explain {

/// What a lock class stands for. Those behind `plain` wait for something else than a lock, or are
/// locks that a documented order mentions.
enum class role {
    plain,
    mmap_lock,
    ticket,       ///< the acquire context of wound/wait locks, which is no lock
    reservation,  ///< dma_resv
    reclaim,      ///< fs_reclaim: an allocation that may reclaim memory
    i_mmap,
    notifier,   ///< a callback of an MMU notifier
    fence,      ///< on the way to the signal of a DMA fence
    work,       ///< a work runs; to acquire it is to flush it
    workqueue,  ///< some work of a queue runs; to acquire it is to flush the queue
    completion,
    console,
};

/// The name of a role, as in a sentence.
std::string_view words_of(role what);

/// @param acquired_at  the stacks of its acquires, which tell a work that has a name of its own
role role_of(const std::string& lock, const std::vector<std::string>& acquired_at);

/// The roles of the locks of a cycle, in their order.
std::vector<role> roles_of(const report& from);

/// Whether the order is stated at boot by a function that stands for no task: `dma_resv_lockdep`.
bool is_primed(const cycle_edge& edge);

/// Whether the kernel's documents state this order: mmap_lock, dma_resv, fs_reclaim, notifier,
/// fence.
bool is_documented(role from, role to);

/// Only reads of the lock were ever seen: the places for writes in its usage are empty.
bool has_readers_only(const lock_use& lock);

/// The function in which a lock is acquired: the innermost one that is no lock's own.
std::string function_of(const std::vector<std::string>& stack);

/// What to do about a report: sentences, the most fitting one first.
std::vector<std::string> advice_for(const report& from);

}  // namespace wedge::explain
