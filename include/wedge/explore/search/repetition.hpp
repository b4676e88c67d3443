// Repeats the last execution, decision by decision.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "wedge/core/schedule.hpp"
#include "wedge/explore/search/strategy.hpp"

namespace wedge {

/// Runs an execution with the decisions of another one. It is given up where they end, or where one
/// does not fit.
class repetition final : public search_strategy {
public:
    explicit repetition(std::span<const decision> decisions) : decisions_(decisions) {}

    bool new_execution() override { return at_ == 0; }

    std::uint32_t next_task(const choice_point& at) override {
        if (at_ == decisions_.size()) return no_task;
        const decision& next = decisions_[at_++];
        const bool fits = next.what == decision::sort::run &&
                          std::binary_search(at.enabled.begin(), at.enabled.end(), next.value);
        return fits ? next.value : no_task;
    }

    std::uint32_t choose(std::uint32_t n) override {
        if (at_ == decisions_.size()) return 0;
        const decision& next = decisions_[at_++];
        return next.what == decision::sort::choose && next.value < n ? next.value : 0;
    }

private:
    std::span<const decision> decisions_;
    std::size_t at_ = 0;
};

}  // namespace wedge
