// Whether a hang is a cycle of the lock order in which pseudo-locks stand for waits.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "wedge/core/finding.hpp"
#include "wedge/core/hang.hpp"
#include "wedge/explore/verdict/real_cycle.hpp"
#include "wedge/order/describe.hpp"
#include "wedge/order/observation.hpp"

namespace wedge {
namespace detail {

/// Returns whether the class is a section that stands for a wait: signalling, reclaim, a notifier,
/// a map.
inline bool stands_for_wait(const lock_use& lock) {
    return is_pseudo_lock(lock) && !is_context_class(lock.class_id);
}

/// Returns the cycle of a finding that has pseudo-locks; empty if it has none. A section entered
/// within itself is a cycle of one edge.
inline std::vector<dependency> cycle_with_pseudo_locks(const finding& known) {
    std::vector<dependency> cycle = known.cycle;
    if (known.kind == finding_kind::recursive && cycle.empty() && known.locks.size() == 2)
        cycle.push_back({known.locks[0], known.locks[1], known.task, false});
    const bool has_any = std::any_of(cycle.begin(), cycle.end(), [](const dependency& edge) {
        return is_pseudo_lock(edge.held);
    });
    if (!has_any) cycle.clear();
    return cycle;
}

/// Returns whether the task waits for something that no task holds: a fence, a condition, a
/// variable, an end.
inline bool waits_for_promise(const task_report& task) noexcept {
    return !task.wanted && task.where.is_known();
}

/// Returns whether the task waits for what the pseudo-lock stands for.
inline bool waits_for(const task_report& task, const lock_use& promise) {
    if (!waits_for_promise(task)) return false;
    if (!is_inferred_wait(promise)) return stands_for_wait(promise);
    if (!may_meet(promise.instance, task.waits_on)) return false;
    return promise.class_name ==
           (task.joins.empty() ? task.waits_for : "the end of " + name_without_number(task.joins));
}

/// Returns whether the task stands where a signaller takes the lock of the edge, or has taken it
/// there. So it has not signalled yet.
inline bool is_in_inferred_section(const task_report& task, const dependency& edge) {
    const bool is_exact = edge.held.instance != 0;  // seen in executions
    const auto is_it = [&](const lock_use& lock) {
        return lock.class_id == edge.wanted.class_id &&
               (!is_exact || lock.instance == edge.wanted.instance) && edge.has_place(lock.where);
    };
    if (std::any_of(task.held.begin(), task.held.end(), is_it)) return true;
    return task.wanted ? is_it(*task.wanted)
                       : waits_for(task, edge.wanted) && edge.has_place(task.where);
}

}  // namespace detail

namespace detail {

/// The tasks of a hang along the edges of a cycle with pseudo-locks.
class standing_tasks {
public:
    standing_tasks(const std::vector<dependency>& cycle, const std::vector<task_report>& tasks)
        : cycle_(cycle), tasks_(tasks) {}

    bool are_in_cycle() const {
        bool is_any_waiting = false;
        for (std::size_t i = 0; i < cycle_.size(); ++i) {
            const auto stands = [&](const task_report& each) { return is_along(each, cycle_[i]); };
            const auto waits = [&](const task_report& each) {
                return stands(each) && is_waiting(each, cycle_[i]);
            };
            if (std::none_of(tasks_.begin(), tasks_.end(), stands) && !is_own_promise(i))
                return false;
            is_any_waiting = is_any_waiting || std::any_of(tasks_.begin(), tasks_.end(), waits);
        }
        return is_any_waiting;
    }

private:
    /// Returns whether the task stands along the edge. A task that waits for a lock outside of the
    /// cycle hangs for that reason instead.
    bool is_along(const task_report& task, const dependency& edge) const {
        const auto is_wanted = [&](const dependency& other) {
            return task.wanted->class_id == other.held.class_id;
        };
        const bool waits_here = task.wanted ? std::any_of(cycle_.begin(), cycle_.end(), is_wanted)
                                            : waits_for_promise(task);
        if (is_inferred_wait(edge.held)) return waits_here && is_in_inferred_section(task, edge);
        if (!waits_here || !is_within(task, edge.held.class_id)) return false;
        if (is_context_class(edge.wanted.class_id))
            return is_within(task, edge.wanted.class_id) &&
                   (is_pseudo_lock(edge.held) || is_interrupted_with(task, edge));
        if (is_context_class(edge.held.class_id) && !is_pseudo_lock(edge.wanted))
            return takes_in_interrupt(task, edge);
        return is_waiting(task, edge) || is_within(task, edge.wanted.class_id);
    }
    static bool is_waiting(const task_report& task, const dependency& edge) {
        return task.wanted ? task.wanted->class_id == edge.wanted.class_id
                           : waits_for(task, edge.wanted);
    }
    /// Returns whether the edge's task never reaches its section, since it waits for that section
    /// itself.
    bool is_own_promise(std::size_t i) const {
        const dependency& edge = cycle_[i];
        const dependency& before = cycle_[(i + cycle_.size() - 1) % cycle_.size()];
        return stands_for_wait(edge.held) && !is_inferred_wait(edge.held) &&
               std::any_of(tasks_.begin(), tasks_.end(), [&](const task_report& each) {
                   return each.name == edge.task && is_along(each, before) &&
                          waits_for_promise(each);
               });
    }

    const std::vector<dependency>& cycle_;
    const std::vector<task_report>& tasks_;
};

}  // namespace detail

/// Returns whether the tasks of a hang stand along every edge of a cycle with pseudo-locks. A task
/// stands along an edge while it holds the edge's first lock, and holds or waits for the second. A
/// pseudo-lock that it does not hold stands for a wait for something that no task holds.
inline bool stands_in(const finding& known, const finding& hang) {
    const std::vector<dependency> cycle = detail::cycle_with_pseudo_locks(known);
    return !cycle.empty() && detail::standing_tasks(cycle, hang.tasks).are_in_cycle();
}

/// Returns whether a hang involves every class of a cycle with pseudo-locks. It may be that cycle
/// in other circumstances, such as with other instances, so the cycle must not be called
/// impossible. A task that is interrupted may wait for anything below the interrupt.
inline bool involves(const finding& hang, const finding& known) {
    std::vector<dependency> cycle = detail::cycle_with_pseudo_locks(known);
    for (dependency& edge : cycle) edge.held.instance = edge.wanted.instance = 0;
    const auto is_any = [&](const auto& holds) {
        return std::any_of(hang.tasks.begin(), hang.tasks.end(), holds);
    };
    const auto is_involved = [&](const dependency& edge) {
        const bool is_met = is_any([&](const task_report& task) {
            return detail::is_within(task, edge.held.class_id) ||
                   (task.wanted && task.wanted->class_id == edge.held.class_id) ||
                   (detail::stands_for_wait(edge.held) &&
                    (detail::waits_for(task, edge.held) || !task.contexts.empty()));
        });
        // A signaller that takes the lock nowhere is not kept from its signal by this edge.
        return is_met &&
               (!is_inferred_wait(edge.held) || is_pseudo_lock(edge.wanted) ||
                is_any([&](const task_report& task) {
                    return (task.wanted && task.wanted->class_id == edge.wanted.class_id) ||
                           detail::is_in_inferred_section(task, edge);
                }));
    };
    return !cycle.empty() && std::all_of(cycle.begin(), cycle.end(), is_involved);
}

}  // namespace wedge
