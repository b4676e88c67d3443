// Describes a task that reaches no step any more.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "wedge/explore/verdict/stuck.hpp"

namespace wedge {

/// Returns the finding that a task blocks outside of wedge, or loops without a step: where it was
/// last seen, and where all other tasks stand.
///
/// @param running  the task; null: unknown. A task that is not in `all` is the set-up's
inline finding describe_stall(stuck_descriptions::tasks all, const lock_table& locks,
                              const task* running) {
    std::vector<stuck_task> standing;
    for (const std::unique_ptr<controlled_task>& each : all)
        standing.push_back(
            {&each->self, each->is_done,
             each->self.pending.what == step::wait && each->phase == wait_phase::sleeping});
    const detail::wait_graph waits(standing, locks);
    finding found;
    found.kind = finding_kind::stalled;
    found.judged = verdict::observed;
    found.exact = true;
    found.task = running != nullptr ? running->title() : "a task";
    found.what = found.task + " comes to no step";
    if (running != nullptr && running->pending.where.is_known())
        found.what += " after that at " + to_string(running->pending.where);
    for (const stuck_task& each : standing) {
        if (each.who != running && !each.is_done && !each.who->pending.where.is_known())
            continue;  // it was not started
        found.tasks.push_back(waits.report(each));
        if (each.who != running) continue;
        task_report& here = found.tasks.back();  // it has taken its step, and waits for nothing
        here.wanted.reset();
        here.waits_for = "something outside of wedge";
    }
    found.signature = name_of(found.kind) + (" " + found.task);
    return found;
}

}  // namespace wedge
