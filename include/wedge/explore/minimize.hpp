// Makes a schedule small: fewer switches, the same finding.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "wedge/event/schedule.hpp"

namespace wedge {

/// Delta debugging (Zeller and Hildebrandt, ddmin, 2002) over the decisions of a schedule as hints
/// for lenient replay.
///
/// @param replay  (const std::vector<decision>& hints) -> std::optional<std::vector<decision>>: the
///                decisions that were really taken, if they led to the same finding
/// @param replays_max  how often it may be called
/// @return decisions that replay strictly, those with the fewest switches that were seen
template <class Replay>
std::vector<decision> minimize(std::vector<decision> decisions, Replay replay,
                               unsigned replays_max = 500) {
    const auto switches = [](const std::vector<decision>& all) {
        return schedule{{}, 0, {}, {}, all}.switches();
    };
    std::vector<decision> best = decisions;
    std::vector<decision> hints = std::move(decisions);
    unsigned replays = 0;
    const auto attempt = [&](const std::vector<decision>& tried) {
        if (replays++ >= replays_max) return false;
        std::optional<std::vector<decision>> taken = replay(tried);
        if (!taken) return false;
        if (switches(*taken) < switches(best) ||
            (switches(*taken) == switches(best) && taken->size() < best.size()))
            best = std::move(*taken);
        hints = tried;
        return true;
    };
    for (std::size_t size = (hints.size() + 1) / 2; size > 0 && replays < replays_max;) {
        bool is_smaller = false;
        for (std::size_t at = 0; at < hints.size() && replays < replays_max;) {
            std::vector<decision> rest(hints.begin(),
                                       hints.begin() + static_cast<std::ptrdiff_t>(at));
            const std::size_t end = std::min(at + size, hints.size());
            rest.insert(rest.end(), hints.begin() + static_cast<std::ptrdiff_t>(end), hints.end());
            if (attempt(rest))
                is_smaller = true;
            else
                at = end;
        }
        if (size == 1 && !is_smaller) break;
        if (!is_smaller || size > hints.size()) size = std::max<std::size_t>(1, size / 2);
        if (hints.empty()) break;
    }
    return best;
}

}  // namespace wedge
