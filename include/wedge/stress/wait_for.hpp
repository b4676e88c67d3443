// Who waits for whom among native tasks, and the finding that says so.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "wedge/core/finding.hpp"
#include "wedge/core/shortest_cycle.hpp"
#include "wedge/core/signature.hpp"
#include "wedge/stress/published_task.hpp"

namespace wedge {

/// The waits of one moment that end only if their holder goes on, as a graph: an edge leads from a
/// task to each holder of the lock that the task wants, if the two modes exclude each other. Waits
/// that may end otherwise have no edge, so a cycle is a deadlock.
class wait_for_graph {
public:
    explicit wait_for_graph(std::span<const task_snapshot> tasks) : tasks_(tasks) {}

    /// Returns a shortest cycle, as places in the list. Each task waits for a lock that the next
    /// one holds.
    std::vector<std::size_t> cycle() const {
        return shortest_cycle(tasks_.size(), [&](std::size_t task) { return blockers(task); });
    }

    /// Returns the finding about tasks that stand still: every task with its locks, and the cycle
    /// if there is one.
    ///
    /// @param retrying  a task that takes steps and ends no call; null: all tasks that have wedged
    ///     stand still
    finding describe(const std::vector<std::size_t>& cycle,
                     const task_snapshot* retrying = nullptr) const {
        finding found;
        found.kind = retrying != nullptr ? finding_kind::livelock : finding_kind::deadlock;
        found.judged = verdict::observed;
        found.exact = true;
        for (const task_snapshot& each : tasks_) found.tasks.push_back(report_of(each));
        for (std::size_t i = 0; i < cycle.size(); ++i) {
            const task_snapshot& me = tasks_[cycle[i]];
            const task_snapshot& before = tasks_[cycle[(i + cycle.size() - 1) % cycle.size()]];
            const held_lock& held = *blocking_hold(*before.wanted, me);
            found.cycle.push_back({use_of(acquisition_of(held)), use_of(acquisition_of(*me.wanted)),
                                   title_of(me), false});
            found.what += (i == 0 ? "" : ", ") + title_of(me) + " waits for " +
                          found.cycle.back().wanted.class_name;
        }
        if (retrying != nullptr)
            found.what = title_of(*retrying) + " takes steps, and its call does not end";
        else if (cycle.empty())
            found.what = "tasks wait, and nothing goes on";
        found.signature = signature_of(found);
        return found;
    }

private:
    static const held_lock* blocking_hold(const held_lock& wanted, const task_snapshot& holder) {
        for (const held_lock& each : holder.held)
            if (each.instance == wanted.instance &&
                (!is_shared(each.how) || !is_shared(wanted.how)))
                return &each;
        return nullptr;
    }

    std::vector<std::size_t> blockers(std::size_t waiting) const {
        const task_snapshot& me = tasks_[waiting];
        std::vector<std::size_t> all;
        // A timed wait ends by itself.
        if (!me.wanted || has(me.wanted->with, flags::timed)) return all;
        for (std::size_t i = 0; i < tasks_.size(); ++i) {
            const held_lock* const hold = blocking_hold(*me.wanted, tasks_[i]);
            if (hold != nullptr && !may_back_off(me, *hold, tasks_[i])) all.push_back(i);
        }
        return all;
    }
    /// Returns whether wound/wait may end the wait: the holder is wounded where it waits itself
    /// under a ticket, or the waiting task is told to release what its ticket holds (wait-die). The
    /// snapshots have no ages, so this does not ask which of the tickets is older.
    static bool may_back_off(const task_snapshot& me, const held_lock& hold,
                             const task_snapshot& holder) {
        if (!has(me.wanted->with, flags::ticketed) || !has(hold.with, flags::ticketed))
            return false;
        const bool holder_waits = holder.wanted && has(holder.wanted->with, flags::ticketed);
        return holder_waits ||
               std::any_of(me.held.begin(), me.held.end(),
                           [](const held_lock& each) { return has(each.with, flags::ticketed); });
    }

    /// Returns `worker 1 (evict)`.
    static std::string title_of(const task_snapshot& task) {
        return task.action == nullptr ? task.name : task.name + " (" + task.action + ")";
    }

    static task_report report_of(const task_snapshot& task) {
        task_report report;
        report.name = title_of(task);
        if (task.action != nullptr) report.action = task.action;
        report.where = task.where;
        for (const held_lock& each : task.held) report.held.push_back(use_of(acquisition_of(each)));
        if (task.wanted)
            report.wanted = use_of(acquisition_of(*task.wanted));
        else if (!task.has_ended)
            report.waits_for =
                task.waits_for.empty() ? "nothing known: it runs or sleeps" : task.waits_for;
        return report;
    }

    std::span<const task_snapshot> tasks_;
};

}  // namespace wedge
