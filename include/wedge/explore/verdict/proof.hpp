// Whether a search that has ended proves anything.
#pragma once

#include <string>

#include "wedge/explore/options.hpp"
#include "wedge/explore/search/strategy.hpp"
#include "wedge/workload/outcome.hpp"

namespace wedge {

/// Returns why a search that has ended proves nothing. Empty: it proves something, or the outcome
/// says why not.
///
/// A finite search without a fault reaches an execution that ends, or a run that never ends. So if
/// everything was tried and neither was seen, the engine contradicts itself.
///
/// @param all  what was counted; `exhausted` is the strategy's claim
/// @param is_shown  a replay has shown the livelock that the strategy found, if there is one
inline std::string why_unproved(const search_strategy& how, const explore_options& options,
                                const outcome& all, bool is_shown) {
    constexpr const char* fault = "; this is a fault of wedge, please report it";
    if (!is_shown)
        return std::string("the search found a run that never ends, its replay did not") + fault;
    if (how.has_circled())
        return std::string(
                   "a run came back to one of its states, which the search did not expect") +
               fault;
    if (how.is_full())
        return "the search kept " + std::to_string(how.states()) +
               (how.states() == 1 ? " state" : " states") + ", and may keep " +
               std::to_string(options.states_max) + " and four times as many steps";
    if (all.exhausted && all.executions == 0 && !how.has_progressed())
        return std::string("everything was tried, and no execution came to an end") + fault;
    return {};
}

}  // namespace wedge
