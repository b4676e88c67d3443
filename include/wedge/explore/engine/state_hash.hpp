// A hash of where all tasks of an execution stand.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "wedge/core/hash.hpp"
#include "wedge/explore/engine/step_model.hpp"

namespace wedge {

/// Returns a hash of the pending step and the locks of each task, by ordinals and lines, which are
/// equal in every execution. It does not cover the program's variables.
inline std::uint64_t state_hash(std::span<const std::unique_ptr<controlled_task>> tasks) {
    std::uint64_t hash = tasks.size();
    for (const std::unique_ptr<controlled_task>& each : tasks) {
        const operation& next = each->self.pending;
        hash = combine(hash, each->is_done ? 0
                                           : 1 + static_cast<std::uint64_t>(next.what) +
                                                 (static_cast<std::uint64_t>(each->phase) << 8) +
                                                 (std::uint64_t{next.where.line} << 32));
        if (each->is_done) continue;
        hash = combine(hash, (next.lock != nullptr ? next.lock->instance() : 0) +
                                 (std::uint64_t{next.other} << 32));
        hash = combine(hash, next.condition != nullptr ? next.condition->instance() : 0);
        for (const held_lock& held : each->self.held)
            hash = combine(hash, combine(held.instance, (std::uint64_t{held.where.line} << 32) +
                                                            (std::uint64_t{held.depth} << 8) +
                                                            static_cast<std::uint64_t>(held.how)));
    }
    return hash;
}

}  // namespace wedge
