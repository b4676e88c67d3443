// Picks who searches.
#pragma once

#include <memory>
#include <vector>

#include "wedge/explore/options.hpp"
#include "wedge/explore/strategy/exhaustive.hpp"
#include "wedge/explore/strategy/pct.hpp"
#include "wedge/explore/strategy/portfolio.hpp"
#include "wedge/explore/strategy/pos.hpp"
#include "wedge/explore/strategy/random.hpp"
#include "wedge/explore/strategy/round_robin.hpp"
#include "wedge/explore/strategy/surw.hpp"
#include "wedge/explore/strategy/urw.hpp"

namespace wedge {

/// @param cycle_locks  the ordinals of the locks in the cycles of the lock order that are known,
///                     kept by the caller; more may come between executions
inline std::unique_ptr<search_strategy> make_strategy(
    const explore_options& options, const std::vector<std::uint32_t>& cycle_locks) {
    const std::uint64_t seed = options.seed;
    switch (options.how) {
        case strategy::random: return std::make_unique<random_walk>(seed);
        case strategy::pct: return std::make_unique<priority_walk>(options.depth, seed);
        case strategy::pos: return std::make_unique<partial_order_sampling>(seed);
        case strategy::urw: return std::make_unique<uniform_walk>(seed);
        case strategy::surw: return std::make_unique<selective_walk>(cycle_locks, seed);
        case strategy::round_robin: return std::make_unique<round_robin>(seed);
        case strategy::exhaustive:
            return std::make_unique<exhaustive_search>(options.preemptions_max, options.steps_max);
        case strategy::portfolio: break;
    }
    std::vector<std::unique_ptr<search_strategy>> others;
    others.push_back(std::make_unique<random_walk>(seed));
    others.push_back(std::make_unique<selective_walk>(cycle_locks, seed));
    others.push_back(std::make_unique<priority_walk>(2, seed));
    others.push_back(std::make_unique<partial_order_sampling>(seed));
    others.push_back(std::make_unique<uniform_walk>(seed));
    others.push_back(std::make_unique<priority_walk>(options.depth, seed));
    others.push_back(std::make_unique<round_robin>(seed));
    return std::make_unique<portfolio>(
        std::make_unique<exhaustive_search>(options.preemptions_max, options.steps_max),
        std::move(others));
}

}  // namespace wedge
