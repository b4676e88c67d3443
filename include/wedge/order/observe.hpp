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

/// Returns the hold that an acquire leads to.
inline held_lock hold_of(const task& self, const event& step) noexcept {
    return {.class_id = step.class_id,
            .instance = step.instance,
            .how = step.how,
            .subclass = step.subclass,
            .with = step.with,
            .context = static_cast<std::uint8_t>(self.context),
            .payload = step.payload,
            .where = step.where,
            .lock = step.lock};
}

/// Returns the observation that hold number `index` of the task was held while the step wanted
/// another lock, with the locks that guarded both.
inline observation observe(const task& self, std::size_t index, const event& step) {
    const held_lock& held = self.held[index];
    observation seen;
    seen.held_class = held.class_id;
    seen.wanted_class = step.class_id;
    seen.held_instance = held.instance;
    seen.wanted_instance = step.instance;
    seen.held_subclass = counted_subclass(held.with, held.subclass);
    seen.wanted_subclass = counted_subclass(step.with, step.subclass);
    seen.held_how = held.how;
    seen.wanted_how = step.how;
    seen.held_with = held.with;
    seen.wanted_with = step.with;
    seen.task = self.ordinal;
    seen.title = self.title();
    seen.held_at = held.where;
    seen.wanted_at = step.where;
    for (std::size_t i = 0; i < index; ++i) {
        const held_lock& outer = self.held[i];
        if (outer.how == mode::exclusive && outer.context == held.context && !is_pseudo(outer))
            seen.guards.add({outer.class_id, outer.instance});
    }
    return seen;
}

}  // namespace wedge::detail
