// Turns a step of a task into an observation.
#pragma once

#include <cstddef>

#include "wedge/order/describe.hpp"
#include "wedge/order/observation.hpp"

namespace wedge::detail {

/// Returns whether the hold keeps no task out: it orders only.
inline bool is_pseudo(const held_lock& hold) {
    return (hold.lock != nullptr && hold.lock->kind() == lock_kind::map) ||
           lock_class::from_id(hold.class_id).options().never_waits;
}

/// Returns the observation that hold number `index` of the task was held while the step wanted
/// another lock, with the locks that guarded both.
inline observation observe(const task& self, std::size_t index, const event& step) {
    const held_lock& held = self.held[index];
    observation seen;
    seen.held = acquisition_of(held);
    seen.wanted = acquisition_of(step);
    seen.task = self.ordinal;
    seen.title = self.title();
    for (std::size_t i = 0; i < index; ++i) {
        const held_lock& outer = self.held[i];
        if (outer.how == mode::exclusive && outer.context == held.context && !is_pseudo(outer))
            seen.guards.add({outer.class_id, outer.instance});
    }
    return seen;
}

}  // namespace wedge::detail
