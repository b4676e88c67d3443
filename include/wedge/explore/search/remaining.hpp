// How many steps each task probably has left, judged by earlier executions.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "wedge/core/rng.hpp"

namespace wedge {

/// Counts steps by task. The longest execution of a task is what is expected of it.
class remaining_steps {
public:
    void new_execution() {
        expected_.resize(std::max(expected_.size(), taken_.size()));
        for (std::size_t i = 0; i < taken_.size(); ++i)
            expected_[i] = std::max(expected_[i], taken_[i]);
        taken_.assign(taken_.size(), 0);
    }
    void took_step(std::uint32_t task) {
        if (taken_.size() <= task) taken_.resize(task + 1);
        ++taken_[task];
    }

    /// @return 0 if the expected number of steps was taken
    std::uint32_t of(std::uint32_t task) const {
        const std::uint32_t taken = task < taken_.size() ? taken_[task] : 0;
        const std::uint32_t expected = task < expected_.size() ? expected_[task] : 0;
        return expected - std::min(expected, taken);
    }

    /// Draws a task with a probability proportional to its remaining steps. A task about which
    /// nothing is known has `least` of them.
    ///
    /// @return `otherwise` if no steps remain at all
    std::uint32_t draw(std::span<const std::uint32_t> among, rng& random, std::uint32_t least,
                       std::uint32_t otherwise) const {
        std::uint32_t total = 0;
        for (const std::uint32_t each : among) total += std::max(of(each), least);
        if (total == 0) return otherwise;
        std::uint32_t at = random.below(total);
        for (const std::uint32_t each : among) {
            const std::uint32_t weight = std::max(of(each), least);
            if (at < weight) return each;
            at -= weight;
        }
        return otherwise;
    }

private:
    std::vector<std::uint32_t> expected_;
    std::vector<std::uint32_t> taken_;  // in this execution
};

}  // namespace wedge
