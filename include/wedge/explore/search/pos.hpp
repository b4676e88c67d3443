// Random priorities of the pending operations, redrawn for operations that conflict.
#pragma once

#include <cstdint>
#include <vector>

#include "wedge/core/rng.hpp"
#include "wedge/explore/search/strategy.hpp"

namespace wedge {

/// Partial order sampling (Yuan, Yang and Gu, 2018): runs the pending operation of the highest
/// priority, then redraws the priorities of the task's next operation and of all operations that
/// conflict with the one taken. So the order of commuting steps does not change the probabilities.
class partial_order_sampling final : public search_strategy {
public:
    explicit partial_order_sampling(std::uint64_t seed) : random_(seed) {}

    bool new_execution() override {
        priorities_.clear();
        return true;
    }

    std::uint32_t next_task(const choice_point& at) override {
        while (priorities_.size() < at.tasks.size()) priorities_.push_back(random_.next());
        if (at.enabled.size() == 1 && at.tasks.size() == 1) return at.enabled[0];
        std::uint32_t next = at.enabled[0];
        for (const std::uint32_t each : at.enabled)
            if (priorities_[each] > priorities_[next]) next = each;
        const step_footprint taken = step_footprint::of(at.tasks[next]->pending);
        for (std::uint32_t each = 0; each < at.tasks.size(); ++each)
            if (each == next || !step_footprint::of(at.tasks[each]->pending).commutes_with(taken))
                priorities_[each] = random_.next();
        return next;
    }

    std::uint32_t choose(std::uint32_t n) override { return random_.below(n); }

private:
    rng random_;
    std::vector<std::uint64_t> priorities_;  // by task
};

}  // namespace wedge
