// Cycles of states that a run may go round forever.
#pragma once

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>
#include <vector>

#include "wedge/verify/script.hpp"

namespace wedge::verify {

/// A step of a task from one state to another, by their numbers.
struct taken_step {
    std::size_t task, to;
};

/// Returns the strongly connected parts, by Kosaraju's algorithm.
inline std::vector<std::vector<std::size_t>> strong_parts(
    const std::vector<std::size_t>& among, const std::vector<std::vector<taken_step>>& steps) {
    std::vector<std::vector<std::size_t>> ahead(steps.size()), back(steps.size()), parts;
    std::vector<int> seen(steps.size(),
                          3);  // two bits: not visited forwards, not visited backwards
    for (const std::size_t each : among) seen[each] = 0;
    for (const std::size_t from : among)
        for (const taken_step& each : steps[from])
            if (seen[each.to] == 0) {
                ahead[from].push_back(each.to);
                back[each.to].push_back(from);
            }
    const auto walk = [&](std::size_t root, int bit, const auto& next,
                          std::vector<std::size_t>& out) {
        std::vector<std::pair<std::size_t, std::size_t>> path;
        const auto enter = [&](std::size_t s) {
            if ((seen[s] & bit) == 0) path.push_back({s, 0});
            seen[s] |= bit;
        };
        for (enter(root); !path.empty();) {
            const std::size_t s = path.back().first, i = path.back().second++;
            if (i < next[s].size()) {
                enter(next[s][i]);
            } else {
                out.push_back(s);
                path.pop_back();
            }
        }
    };
    std::vector<std::size_t> order;
    for (const std::size_t each : among) walk(each, 1, ahead, order);
    for (std::size_t i = order.size(); i-- > 0;)
        if ((seen[order[i]] & 2) == 0) walk(order[i], 2, back, parts.emplace_back());
    return parts;
}

/// Returns a state of a fair cycle: one in which every task that can go on again and again takes a
/// step. Returns `nowhere` if there is none.
///
/// A strongly connected part is fair if every task that can go on in it takes a step in it.
/// Otherwise the states in which some other task can go on are removed, and the rest is examined
/// again (Lichtenstein and Pnueli, POPL 1985).
inline std::size_t state_of_a_fair_circle(const std::vector<std::vector<taken_step>>& steps,
                                          const std::vector<std::set<std::size_t>>& enabled) {
    std::vector<std::vector<std::size_t>> open(1);
    for (std::size_t i = 0; i < steps.size(); ++i) open[0].push_back(i);
    while (!open.empty()) {
        const std::vector<std::size_t> among = std::move(open.back());
        open.pop_back();
        for (std::vector<std::size_t>& part : strong_parts(among, steps)) {
            const std::set<std::size_t> inside(part.begin(), part.end());
            std::set<std::size_t> moving, waiting;
            for (const std::size_t s : part) {
                waiting.insert(enabled[s].begin(), enabled[s].end());
                for (const taken_step& each : steps[s])
                    if (inside.contains(each.to)) moving.insert(each.task);
            }
            if (moving.empty()) continue;
            if (moving == waiting) return part.front();
            for (const std::size_t each : moving) waiting.erase(each);
            std::erase_if(part, [&](std::size_t s) {
                return std::any_of(waiting.begin(), waiting.end(),
                                   [&](std::size_t w) { return enabled[s].contains(w); });
            });
            if (!part.empty()) open.push_back(std::move(part));
        }
    }
    return nowhere;
}

}  // namespace wedge::verify
