// Tries the strategies that can build the deadlock of a cycle.
#pragma once

#include <cstdint>
#include <vector>

#include "wedge/explore/search/confirm.hpp"
#include "wedge/explore/search/surw.hpp"
#include "wedge/explore/verdict/real_cycle.hpp"
#include "wedge/explore/verdict/sighting.hpp"

namespace wedge {

/// Parks tasks at the edges of the cycle. If that fails, since the way there needs a schedule of
/// its own, walks uniformly over the orders in which the cycle's locks are taken.
///
/// @param builds  (search_strategy&, const sighting& reached) -> bool, whether the deadlock was
///     built
template <class Builds>
bool build_cycle(const finding& wanted, std::uint64_t seed, Builds builds) {
    std::vector<dependency> cycle = real_cycle(wanted.cycle);
    if (cycle.empty()) return false;
    std::vector<std::uint32_t> locks;
    for (const dependency& edge : cycle) locks.push_back(edge.wanted.instance);
    for (const dependency& edge : wanted.cycle)
        if (is_inferred_wait(edge.held)) cycle.push_back(edge);
    cycle_confirmation parking(cycle, seed);
    selective_walk walk(locks, seed);
    const sighting reached{wanted, {}, true, true};
    return builds(parking, reached) || builds(walk, reached);
}

}  // namespace wedge
