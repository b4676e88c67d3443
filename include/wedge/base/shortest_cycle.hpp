// The shortest cycle of a small directed graph.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace wedge {

/// Returns a shortest cycle among the nodes 0 to `count` - 1, each of which leads to the next one
/// and the last to the first. Empty: the graph has no cycle. Of several it takes the one whose
/// first node is least. Breadth first from each node: made for the tasks of one report.
///
/// @param successors  (std::size_t node) -> the nodes that it leads to, in their order of search
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
