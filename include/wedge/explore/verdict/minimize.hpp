// Minimises a schedule: fewer switches, the same finding.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "wedge/core/schedule.hpp"

namespace wedge {

/// Returns the schedule of a livelock: the way to the cycle of states, then one round of it.
///
/// @param decisions  of an execution
/// @param steps  of the last round, which need not be the only one
inline schedule with_circle(schedule head, std::vector<decision> decisions, std::uint64_t steps) {
    std::size_t from = decisions.size();
    while (steps > 0 && from > 0)
        if (decisions[--from].what == decision::sort::run) --steps;
    const std::size_t round = decisions.size() - from;
    // Cuts off earlier rounds: what comes before the last round may end with whole or partial
    // rounds, since a round may begin anywhere.
    while (round != 0 && decisions.size() > round &&
           decisions.back() == decisions[decisions.size() - 1 - round])
        decisions.pop_back();
    head.decisions = std::move(decisions);
    head.circle = round;
    return head;
}

/// Minimises by delta debugging (Zeller and Hildebrandt, ddmin, 2002) over the decisions of a
/// schedule, as hints for lenient replays.
///
/// @param replay  (const schedule& hints) -> std::optional<schedule>: what was really done, if it
///     led to the same finding
/// @param replays_max  how often it may be called
/// @return a schedule that replays strictly: of all that were seen, the one with the fewest
///     switches
template <class Replay>
schedule minimize(const schedule& from, Replay replay, unsigned replays_max = 500) {
    schedule best = from;
    schedule hints = from;
    unsigned replays = 0;
    const auto attempt = [&](const schedule& tried) {
        if (replays++ >= replays_max) return false;
        std::optional<schedule> taken = replay(tried);
        if (!taken) return false;
        if (taken->switches() < best.switches() ||
            (taken->switches() == best.switches() &&
             taken->decisions.size() < best.decisions.size()))
            best = std::move(*taken);
        hints = tried;
        return true;
    };
    const auto without = [](const schedule& all, std::size_t at, std::size_t end) {
        schedule rest = all;
        const auto first = rest.decisions.begin();
        rest.decisions.erase(first + static_cast<std::ptrdiff_t>(at),
                             first + static_cast<std::ptrdiff_t>(end));
        const std::size_t circle_from = all.decisions.size() - all.circle;
        rest.circle -= end - std::min(end, std::max(at, circle_from));
        return rest;
    };
    for (std::size_t size = (hints.decisions.size() + 1) / 2; size > 0 && replays < replays_max;) {
        bool is_smaller = false;
        for (std::size_t at = 0; at < hints.decisions.size() && replays < replays_max;) {
            const std::size_t end = std::min(at + size, hints.decisions.size());
            if (attempt(without(hints, at, end)))
                is_smaller = true;
            else
                at = end;
        }
        if (size == 1 && !is_smaller) break;
        if (!is_smaller || size > hints.decisions.size()) size = std::max<std::size_t>(1, size / 2);
        if (hints.decisions.empty()) break;
    }
    return best;
}

}  // namespace wedge
