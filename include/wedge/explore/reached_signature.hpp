// One name for a deadlock, however the tasks came into it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <vector>

#include "wedge/event/finding.hpp"
#include "wedge/event/signature.hpp"
#include "wedge/explore/real_cycle.hpp"
#include "wedge/order/stated_order.hpp"

namespace wedge {

namespace detail {

/// What the task of a wait holds, and which of that the one before it in the circle waits for.
struct wait_of_task {
    const std::vector<lock_use>* held = nullptr;
    std::size_t waited_for = 0;
};

inline wait_of_task wait_in(const finding& reached, const dependency& edge) {
    for (const task_report& task : reached.tasks) {
        if (task.name != edge.task) continue;
        for (std::size_t i = 0; i < task.held.size(); ++i)
            if (task.held[i].instance == edge.held.instance &&
                task.held[i].class_id == edge.held.class_id)
                return {&task.held, i};
    }
    return {};
}

/// The least circle that an acquire on the way of these waits closes with the stated order.
inline std::vector<dependency> against_stated_order(const finding& reached,
                                                    const std::vector<dependency>& waits,
                                                    const stated_order& stated) {
    std::vector<dependency> least;
    const auto take = [&](std::vector<dependency> circle) {
        if (least.empty() || cycle_signature(circle) < cycle_signature(least))
            least = std::move(circle);
    };
    for (const dependency& edge : waits) {
        const wait_of_task at = wait_in(reached, edge);
        if (at.held == nullptr) continue;
        const std::vector<lock_use>& held = *at.held;
        for (std::size_t i = at.waited_for + 1; i <= held.size(); ++i) {
            const lock_use& taken = i < held.size() ? held[i] : edge.wanted;
            if (has(taken.with, flags::tried)) continue;
            for (std::size_t under = i; under-- > 0;) {
                std::vector<dependency> circle =
                    stated.closed_by({held[under], taken, edge.task, false});
                if (circle.empty()) continue;
                take(std::move(circle));
                break;
            }
        }
    }
    return least;
}

/// The locks that wait in a circle, and between two of them the pseudo-locks that a task is in, as
/// the way that it has come. A circle through such, in which several tasks do the same, is one
/// round of it.
inline std::vector<dependency> with_pseudo_locks(const finding& reached,
                                                 const std::vector<dependency>& waits) {
    const auto is_same = [](const dependency& a, const dependency& b) {
        return a.held.class_name == b.held.class_name && a.held.how == b.held.how &&
               a.wanted.class_name == b.wanted.class_name && a.wanted.how == b.wanted.how;
    };
    std::vector<dependency> cycle;
    for (const dependency& edge : waits) {
        cycle.push_back(edge);
        const wait_of_task at = wait_in(reached, edge);
        for (std::size_t i = at.waited_for; at.held != nullptr && i < at.held->size(); ++i) {
            const lock_use& over = (*at.held)[i];
            if (!is_pseudo_lock(over)) continue;
            cycle.back().wanted = over;
            cycle.push_back(edge);
            cycle.back().held = over;
        }
    }
    for (std::size_t round = 1; cycle.size() > waits.size() && round < cycle.size(); ++round)
        if (cycle.size() % round == 0 &&
            std::equal(cycle.begin() + static_cast<std::ptrdiff_t>(round), cycle.end(),
                       cycle.begin(), is_same))
            cycle.resize(round);
    return cycle;
}

}  // namespace detail

/// The signature of a deadlock that was reached, whichever finding had foretold it.
///
/// One wrong acquire closes a circle with each of the orders that it breaks. Where the program
/// states its order that acquire is known, and what it closes with the statement is the name;
/// else the circle of waits is, with the pseudo-locks that tasks have come through.
inline std::string reached_signature(const finding& of, const stated_order& stated = {}) {
    const std::vector<dependency>& waits = of.reached.empty() ? of.cycle : of.reached;
    if (of.tasks.empty() || waits.empty()) return of.signature;
    std::vector<dependency> cycle = detail::against_stated_order(of, waits, stated);
    if (cycle.empty()) cycle = detail::with_pseudo_locks(of, waits);
    return "cycle " + cycle_signature(cycle);
}

}  // namespace wedge
