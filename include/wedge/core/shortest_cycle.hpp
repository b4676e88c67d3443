// The shortest cycle of a small directed graph.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace wedge {

/// Returns a shortest cycle among the nodes 0 to `count` - 1. Each node of the result leads to the
/// next one, and the last to the first. The result is empty if the graph has no cycle. Of several
/// shortest cycles it takes the one with the least first node. It searches breadth first from each
/// node, so it suits the few tasks of a report.
///
/// @param successors  (std::size_t node) -> the nodes that `node` leads to, in the order of search
template <class Successors>
std::vector<std::size_t> shortest_cycle(std::size_t count, Successors successors) {
    constexpr auto nobody = static_cast<std::size_t>(-1);
    const auto cycle_through = [&](std::size_t start) {
        std::vector<std::size_t> from(count, nobody);
        std::vector<std::size_t> frontier{start};
        std::vector<std::size_t> path;
        for (std::size_t i = 0; i < frontier.size(); ++i) {
            for (const std::size_t next : successors(frontier[i])) {
                if (next == start) {
                    for (std::size_t at = frontier[i]; at != start; at = from[at])
                        path.push_back(at);
                    path.push_back(start);
                    std::reverse(path.begin(), path.end());
                    return path;
                }
                if (from[next] != nobody) continue;
                from[next] = frontier[i];
                frontier.push_back(next);
            }
        }
        return path;
    };
    std::vector<std::size_t> shortest;
    for (std::size_t start = 0; start < count; ++start) {
        std::vector<std::size_t> path = cycle_through(start);
        if (!path.empty() && (shortest.empty() || path.size() < shortest.size()))
            shortest = std::move(path);
    }
    return shortest;
}

}  // namespace wedge
