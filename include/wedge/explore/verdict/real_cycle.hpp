// A cycle of the lock order without its pseudo-locks, as tasks can run into it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "wedge/core/finding.hpp"
#include "wedge/core/lock_class.hpp"

namespace wedge {

/// Returns whether no task ever waits for this lock.
inline bool is_pseudo_lock(const lock_use& lock) {
    return lock.class_id != 0 && lock_class::from_id(lock.class_id).options().never_waits;
}

/// Turns `a -> reclaim, reclaim -> b` into `a -> b`: reclaim itself blocks no task, but the locks
/// taken in it do. Empty if no real lock is left.
inline std::vector<dependency> real_cycle(const std::vector<dependency>& cycle) {
    std::vector<dependency> real;
    const auto first = std::find_if(cycle.begin(), cycle.end(), [](const dependency& edge) {
        return !is_pseudo_lock(edge.held);
    });
    for (std::size_t i = 0; first != cycle.end() && i < cycle.size(); ++i) {
        const auto at = static_cast<std::size_t>(first - cycle.begin()) + i;
        const dependency& edge = cycle[at % cycle.size()];
        if (!is_pseudo_lock(edge.held)) {
            real.push_back(edge);
        } else {
            real.back().wanted = edge.wanted;
            real.back().primed = real.back().primed || edge.primed;
        }
    }
    return real;
}

/// Returns whether a deadlock is what a cycle with pseudo-locks means: a cycle of its real classes,
/// once or several times around (each task closes an edge of its own), while each pseudo-lock was
/// held and each context entered. Modes are not compared: of equally strong modes an edge keeps the
/// first.
inline bool is_reached_through_pseudo_locks(const std::vector<dependency>& cycle,
                                            const finding& stuck) {
    const std::vector<dependency> real = real_cycle(cycle);
    const std::vector<dependency>& reached = stuck.cycle;
    if (real.empty() || real.size() == cycle.size() || reached.empty() ||
        reached.size() % real.size() != 0)
        return false;
    for (const dependency& edge : cycle) {
        const auto holds = [&](const task_report& task) {
            return std::find(task.contexts.begin(), task.contexts.end(), edge.held.class_id) !=
                       task.contexts.end() ||
                   std::any_of(task.held.begin(), task.held.end(), [&](const lock_use& held) {
                       return held.class_id == edge.held.class_id;
                   });
        };
        if (is_pseudo_lock(edge.held) &&
            std::none_of(stuck.tasks.begin(), stuck.tasks.end(), holds))
            return false;
    }
    for (std::size_t shift = 0; shift < real.size(); ++shift) {
        bool same = true;
        for (std::size_t i = 0; i < reached.size() && same; ++i) {
            const lock_use& wanted = real[(i + shift) % real.size()].wanted;
            same = wanted.class_id == reached[i].wanted.class_id;
        }
        if (same) return true;
    }
    return false;
}

}  // namespace wedge
