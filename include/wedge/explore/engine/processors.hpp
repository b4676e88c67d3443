// Processors that tasks share: what a task is in the middle of there.
#pragma once

#include <algorithm>

#include "wedge/core/lock_identity.hpp"
#include "wedge/explore/engine/controlled_task.hpp"

// One task of a processor runs at a time. It may be preempted between any two steps, except in a
// section without preemption. A task that sleeps leaves the processor to others; one that spins
// does not.
namespace wedge::detail {

/// Returns whether a task that waits for the lock spins.
inline bool spins(const lock_identity& lock) noexcept {
    return lock.waits() == wait_type::raw || lock.waits() == wait_type::spin;
}
/// Returns whether a task is not preempted while it holds the lock, nor while it spins for it. The
/// section of a sequence count alone does not disable preemption.
inline bool disables_preemption(const lock_identity& lock) noexcept {
    return spins(lock) && !lock.has_free_readers();
}

/// Returns whether the acquire that the task is about to begin may turn into spinning. That is a
/// step of its own, since the task may be preempted before it.
inline bool may_begin_to_spin(const controlled_task& who) noexcept {
    const operation& next = who.self.pending;
    return who.processor.is_shared() && !next.timed && who.phase == wait_phase::fresh &&
           disables_preemption(*next.lock);
}

/// Returns whether no task preempts this one: it is in an interrupt, keeps out interrupts or other
/// tasks, holds a lock that spins, or spins for one.
inline bool is_unpreemptible(const controlled_task& who) noexcept {
    const context_state& in = who.self.contexts;
    if (in.now() != context::task || in.irqs_are_off || in.bh_depth != 0 || in.preempt_depth != 0)
        return true;
    const operation& next = who.self.pending;
    const bool is_spinning = next.what == step::acquire && who.phase == wait_phase::queued &&
                             disables_preemption(*next.lock);
    return is_spinning ||
           std::any_of(who.self.held.begin(), who.self.held.end(), [](const held_lock& hold) {
               return hold.lock != nullptr && disables_preemption(*hold.lock);
           });
}

/// Returns whether the task is in the middle of what counts as one step: see `unbroken_section`.
inline bool is_within_step(const controlled_task& who) noexcept {
    const operation& next = who.self.pending;
    const bool has_left = next.what == step::wait && who.phase != wait_phase::fresh;
    return !has_left && who.self.unbroken > (next.what == step::acquire ? 1 : 0);
}

/// Returns whether the task stands before its beginning: it may be started at any time.
inline bool has_not_begun(const controlled_task& who) noexcept {
    const operation& next = who.self.pending;
    return who.processor.is_shared() && next.what == step::spawn && next.lock == nullptr &&
           who.depth == 0;
}

}  // namespace wedge::detail
