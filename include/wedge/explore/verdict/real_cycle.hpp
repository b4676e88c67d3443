// A cycle of the lock order without its pseudo-locks, as tasks can run into it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "wedge/core/finding.hpp"
#include "wedge/core/lock_class.hpp"
#include "wedge/order/context_class.hpp"

namespace wedge {

/// Returns whether no task ever waits for this lock.
inline bool is_pseudo_lock(const lock_use& lock) {
    return lock.class_id != 0 && lock_class::from_id(lock.class_id).options().never_waits;
}

namespace detail {

inline bool is_within(const task_report& task, std::uint32_t class_id) {
    const auto is_it = [class_id](const lock_use& held) { return held.class_id == class_id; };
    return std::any_of(task.held.begin(), task.held.end(), is_it) ||
           std::find(task.contexts.begin(), task.contexts.end(), class_id) != task.contexts.end();
}

/// Returns whether the task took the first lock of an edge into an interrupt's context before the
/// interrupt came.
inline bool is_interrupted_with(const task_report& task, const dependency& into) {
    return std::any_of(task.held.begin(), task.held.end(), [&](const lock_use& held) {
        return held.class_id == into.held.class_id &&
               held.taken_in < context_of_class(into.wanted.class_id);
    });
}
/// Returns whether the task holds or wants the second lock of an edge out of an interrupt's
/// context, as the code of the interrupt.
inline bool takes_in_interrupt(const task_report& task, const dependency& out) {
    const auto is_it = [&](const lock_use& lock) { return lock.class_id == out.wanted.class_id; };
    return (task.wanted && is_it(*task.wanted)) ||
           std::any_of(task.held.begin(), task.held.end(), [&](const lock_use& held) {
               return is_it(held) && held.taken_in == context_of_class(out.held.class_id);
           });
}

/// Returns whether the task is in the section of the pseudo-lock that the second edge holds. Of an
/// interrupt's context, it must have been interrupted along both edges.
inline bool is_in_section(const task_report& task, const dependency& into, const dependency& out) {
    if (!is_within(task, out.held.class_id)) return false;
    if (!is_context_class(out.held.class_id)) return true;
    return (is_pseudo_lock(into.held) || is_interrupted_with(task, into)) &&
           (is_pseudo_lock(out.wanted) || takes_in_interrupt(task, out));
}

}  // namespace detail

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
    for (std::size_t i = 0; i < cycle.size(); ++i) {
        const dependency& into = cycle[(i + cycle.size() - 1) % cycle.size()];
        const auto is_there = [&](const task_report& task) {
            return detail::is_in_section(task, into, cycle[i]);
        };
        if (is_pseudo_lock(cycle[i].held) &&
            std::none_of(stuck.tasks.begin(), stuck.tasks.end(), is_there))
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
