// Repeats the last execution, decision by decision.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <thread>
#include <vector>

#include "wedge/core/process_threads.hpp"
#include "wedge/core/schedule.hpp"
#include "wedge/explore/search/strategy.hpp"

namespace wedge {

/// Runs an execution with the decisions of another one. It is given up where they end, or where one
/// does not fit.
class repetition final : public search_strategy {
public:
    /// @param pause  before each of the first steps, so that code which looks at a clock is noticed
    explicit repetition(std::span<const decision> decisions,
                        std::chrono::microseconds pause = std::chrono::microseconds(0))
        : decisions_(decisions), pause_(pause) {}

    bool new_execution() override { return at_ == 0; }

    std::uint32_t next_task(const choice_point& at) override {
        if (at_ == decisions_.size()) return no_task;
        if (pause_.count() != 0 && at_ < paused_steps) {
            std::this_thread::sleep_for(pause_);
            threads_ = detail::threads_of_process();
        }
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

    /// Returns the threads of the process at the end of the last pause; empty: unknown.
    const std::vector<long>& threads() const noexcept { return threads_; }

private:
    static constexpr std::size_t paused_steps = 2;

    std::span<const decision> decisions_;
    std::chrono::microseconds pause_;
    std::vector<long> threads_;
    std::size_t at_ = 0;
};

}  // namespace wedge
