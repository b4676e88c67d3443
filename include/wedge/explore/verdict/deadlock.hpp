// Describes a deadlock: which task waits for which, and the cycle if there is one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "wedge/core/signature.hpp"
#include "wedge/explore/verdict/broken_promise.hpp"
#include "wedge/explore/verdict/wait_graph.hpp"

namespace wedge {

namespace detail {

/// Returns the dependencies along a cycle of waits.
inline std::vector<dependency> edges_along(const std::vector<std::uint32_t>& cycle,
                                           const wait_graph& waits) {
    std::vector<dependency> edges;
    for (std::size_t i = 0; i < cycle.size(); ++i) {
        const std::uint32_t before = cycle[(i + cycle.size() - 1) % cycle.size()];
        const held_lock* const held = waits.hold_of(cycle[i], *waits.wanted_lock(before));
        if (held == nullptr) continue;  // released by another task, which is a finding of its own
        const task& who = *waits.tasks()[cycle[i]].who;
        edges.push_back({use_of(*held), waits.wanted_by(who), who.title(), false});
    }
    return edges;
}

}  // namespace detail

/// Returns the finding of an execution in which no task can go on.
inline finding describe_deadlock(std::span<const stuck_task> tasks, const lock_table& locks) {
    const detail::wait_graph waits(tasks, locks);
    finding found;
    found.kind = finding_kind::deadlock;
    found.judged = verdict::observed;
    found.exact = true;
    for (const stuck_task& each : tasks) found.tasks.push_back(waits.report(each));
    found.cycle = detail::edges_along(waits.shortest_cycle(), waits);
    for (const dependency& edge : found.cycle)
        found.what +=
            (found.what.empty() ? "" : ", ") + edge.task + " waits for " + edge.wanted.class_name;
    if (found.cycle.empty()) found.what = "tasks wait for events that no task will signal";
    const std::string way = found.cycle.empty() ? detail::way_from_promise(waits) : "";
    found.signature = way.empty() ? signature_of(found) : name_of(found.kind) + (" " + way);
    return found;
}

}  // namespace wedge
