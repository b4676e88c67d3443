// One name for everything that one wrong acquire leads to, however tasks get there.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/finding.hpp"
#include "wedge/core/signature.hpp"
#include "wedge/explore/verdict/real_cycle.hpp"
#include "wedge/order/stated_order.hpp"

namespace wedge {

namespace detail {

/// What the task of a wait holds, and which of these locks the previous task of the cycle waits
/// for.
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

/// Returns the cycle that an acquire closes with the stated order, by the innermost hold under
/// which it is forbidden.
inline std::vector<dependency> closed_under(std::span<const lock_use> held, const lock_use& taken,
                                            const std::string& task, const stated_order& stated) {
    for (std::size_t under = held.size(); under-- > 0;) {
        std::vector<dependency> circle = stated.closed_by({held[under], taken, task, false});
        if (!circle.empty()) return circle;
    }
    return {};
}

/// Keeps the least cycle, so that the result does not depend on the order in which cycles are met.
inline void keep_lesser(std::vector<dependency>& least, std::vector<dependency> circle) {
    if (circle.empty()) return;
    if (least.empty() || cycle_signature(circle) < cycle_signature(least))
        least = std::move(circle);
}

/// Returns the least cycle that an acquire of one task closes with the stated order.
///
/// @param held   what the task held before the last acquire
/// @param first  the place in `held` before which acquires do not count
inline std::vector<dependency> closed_by_way(std::span<const lock_use> held, std::size_t first,
                                             const lock_use& last, const std::string& task,
                                             const stated_order& stated) {
    std::vector<dependency> least;
    for (std::size_t i = first; i <= held.size(); ++i) {
        const lock_use& taken = i < held.size() ? held[i] : last;
        if (has(taken.with, flags::tried)) continue;
        keep_lesser(least, closed_under(held.first(i), taken, task, stated));
    }
    return least;
}

/// As above, for waiting tasks: from what each task is waited for to what it waits for.
inline std::vector<dependency> against_stated_order(const finding& reached,
                                                    const std::vector<dependency>& waits,
                                                    const stated_order& stated) {
    std::vector<dependency> least;
    for (const dependency& edge : waits) {
        const wait_of_task at = wait_in(reached, edge);
        if (at.held == nullptr) continue;
        keep_lesser(least,
                    closed_by_way(*at.held, at.waited_for + 1, edge.wanted, edge.task, stated));
    }
    return least;
}

/// As above, for an acquire against a rule of tickets: from the hold under which it is forbidden.
inline std::vector<dependency> against_stated_order(const finding& rule,
                                                    const stated_order& stated) {
    if (rule.kind != finding_kind::ww_rule || rule.held.empty()) return {};
    std::size_t first = 0;
    while (first < rule.held.size() && rule.held[first].instance != rule.locks.front().instance)
        ++first;
    return closed_by_way(rule.held, first + 1, rule.locks.back(), rule.task, stated);
}

/// Returns the rule of tickets that an acquire of this cycle has broken, if such a rule forbids the
/// cycle: if all its locks are of one class.
inline const finding* broken_rule_of(const std::vector<dependency>& waits,
                                     std::span<const finding> seen) {
    const std::uint32_t locks = waits.front().wanted.class_id;
    for (const dependency& edge : waits)
        if (edge.wanted.class_id != locks) return nullptr;
    for (const finding& rule : seen) {
        if (rule.kind != finding_kind::ww_rule || rule.held.empty()) continue;
        if (rule.locks.back().class_id != locks) continue;
        const std::string where = to_string(rule.locks.back().where);
        const auto is_it = [&](const dependency& edge) {
            return to_string(edge.wanted.where) == where;
        };
        if (std::any_of(waits.begin(), waits.end(), is_it)) return &rule;
    }
    return nullptr;
}

/// Returns the locks that wait in a cycle, with the pseudo-locks between them that a task is in. A
/// cycle through pseudo-locks in which several tasks do the same counts as one round.
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

/// Returns the signature of what has happened, whichever finding had foretold it.
///
/// One wrong acquire closes a cycle with each order that it breaks, and may break a rule before one
/// of them hangs. If the program states its order, that acquire is known, and the cycle that it
/// closes with the statement is the name. Otherwise the name is the rule of tickets that was
/// broken, or the cycle of waits with the pseudo-locks that tasks came through. A hang that is no
/// cycle of locks has its own name, even if a cycle of the lock order has foretold it.
///
/// @param seen  what the order checker said about this execution
inline std::string reached_signature(const finding& of, const stated_order& stated = {},
                                     std::span<const finding> seen = {}) {
    if (!of.hang.empty() && of.reached.empty()) return of.hang;
    const std::vector<dependency>& waits = of.reached.empty() ? of.cycle : of.reached;
    const bool is_circle = !of.tasks.empty() && !waits.empty();
    std::vector<dependency> cycle = is_circle ? detail::against_stated_order(of, waits, stated)
                                              : detail::against_stated_order(of, stated);
    if (cycle.empty() && is_circle) {
        if (const finding* const rule = detail::broken_rule_of(waits, seen)) return rule->signature;
        cycle = detail::with_pseudo_locks(of, waits);
    }
    return cycle.empty() ? of.signature : "cycle " + cycle_signature(cycle);
}

}  // namespace wedge
