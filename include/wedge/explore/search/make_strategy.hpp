// Makes strategies by their names.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "wedge/explore/engine/subject.hpp"
#include "wedge/explore/options.hpp"
#include "wedge/explore/search/circle_search.hpp"
#include "wedge/explore/search/exhaustive.hpp"
#include "wedge/explore/search/pct.hpp"
#include "wedge/explore/search/portfolio.hpp"
#include "wedge/explore/search/pos.hpp"
#include "wedge/explore/search/random.hpp"
#include "wedge/explore/search/round_robin.hpp"
#include "wedge/explore/search/state_search.hpp"
#include "wedge/explore/search/surw.hpp"
#include "wedge/explore/search/urw.hpp"

namespace wedge {

/// The strategies that take turns with the exhaustive search.
struct portfolio_member {
    strategy how;
    std::uint32_t depth;
};
inline std::vector<portfolio_member> portfolio_members(const explore_options& options) {
    return {{strategy::random, 1},     {strategy::surw, 1}, {strategy::pct, 2},
            {strategy::pos, 1},        {strategy::urw, 1},  {strategy::pct, options.depth},
            {strategy::round_robin, 1}};
}

/// Makes a strategy.
///
/// @throws error  the subject cannot be searched with this strategy
/// @param cycle_locks  the ordinals of the locks in known cycles of the lock order. The caller
///     keeps the list; more locks may be added between executions
inline std::unique_ptr<search_strategy> make_strategy(
    const subject& what, const explore_options& options,
    const std::vector<std::uint32_t>& cycle_locks) {
    const std::uint64_t seed = options.seed;
    const bool is_whole = what.facts().shares_processors();
    const auto exhaustive = [&] {
        std::optional<std::uint32_t> most = options.preemptions_max;
        if (is_whole) most = most.value_or(~0U);  // with a bound nothing is reduced
        return std::make_unique<exhaustive_search>(most, options.steps_max);
    };
    switch (options.how) {
        case strategy::random: return std::make_unique<random_walk>(seed);
        case strategy::pct: return std::make_unique<priority_walk>(options.depth, seed);
        case strategy::pos: return std::make_unique<partial_order_sampling>(seed);
        case strategy::urw: return std::make_unique<uniform_walk>(seed);
        case strategy::surw: return std::make_unique<selective_walk>(cycle_locks, seed);
        case strategy::round_robin: return std::make_unique<round_robin>(seed);
        case strategy::exhaustive: return exhaustive();
        case strategy::states:
            if (!what.facts().state())
                throw error("strategy states: only a scenario can tell its state");
            if (what.facts().may_circle() || is_whole)
                return std::make_unique<circle_search>(options.states_max);
            return std::make_unique<state_search>(options.states_max);
        case strategy::portfolio: break;
    }
    std::vector<portfolio_member> members = portfolio_members(options);
    const auto is_eager = [](const portfolio_member& each) {
        return each.how == strategy::urw || each.how == strategy::surw;
    };
    const auto rest = std::stable_partition(members.begin(), members.end(), is_eager);
    std::vector<std::unique_ptr<search_strategy>> others;
    for (const portfolio_member& each : members) {
        explore_options alone = options;
        alone.how = each.how;
        alone.depth = each.depth;
        others.push_back(make_strategy(what, alone, cycle_locks));
    }
    return std::make_unique<portfolio>(exhaustive(), std::move(others),
                                       static_cast<std::size_t>(rest - members.begin()));
}

}  // namespace wedge
