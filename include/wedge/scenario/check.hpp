// Checks a scenario: the order, the exploration, and its expectations.
#pragma once

#include <string>
#include <vector>

#include "wedge/core/finding.hpp"
#include "wedge/explore/options.hpp"
#include "wedge/model/pressure.hpp"
#include "wedge/scenario/ast.hpp"
#include "wedge/scenario/explore.hpp"
#include "wedge/workload/outcome.hpp"

namespace wedge::scenario {

class order_walk;  // scenario/order_walk.hpp

// The source that implements wedge/main.hpp implements the functions that this header declares. In
// a program without it, one source includes wedge/implement/scenario.hpp.

struct check_options {
    explore_options explore;
    bool is_order_only = false;
    bool is_stateless = false;  ///< search over schedules even if states could be compared
    pressure under{};           ///< off: allocations depend on the zone alone
};

struct check_result {
    std::string what;  ///< the outcome's word: deadlock, finding, unresolved, sound
    std::vector<std::string> expected;
    bool is_met = false;
    bool is_allowed = false;  ///< met only if known findings do not count
    outcome found;            ///< its locks carry the names of their classes
    lock_titles titles;
    std::vector<dependency> lock_pairs;  ///< of the text, on every path of each block
};

/// Returns whether the finding says that tasks wait for each other forever.
inline bool is_deadlock(const finding& each) {
    if (each.is_livelock()) return false;
    return each.kind == finding_kind::deadlock || each.judged == verdict::confirmed ||
           (each.judged == verdict::observed && each.is_stuck());
}

/// Runs the order pass and the exploration, and compares the result with the expectations.
///
/// @param order  of this document, not run yet; afterwards it knows the dependencies
check_result check(const document& all, order_walk& order, const check_options& options);
check_result check(const document& all, const check_options& options);

/// Judges a result again as if its allowed findings had not been found.
void judge_without_allowed(const document& all, check_result& result);

}  // namespace wedge::scenario
