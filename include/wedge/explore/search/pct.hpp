// Random priorities that change at a few random steps.
#pragma once

#include <cstdint>
#include <vector>

#include "wedge/core/rng.hpp"
#include "wedge/explore/search/strategy.hpp"

namespace wedge {

/// Runs the task of the highest priority. At each of `depth - 1` random steps the running task
/// falls below all tasks that are not demoted later (Burckhardt, Kothari, Musuvathi and
/// Nagarakatte, A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs, 2010). A task
/// that yields falls below all others.
///
/// It finds bugs that need `depth` steps in one order, however far apart they are. Steps at which
/// only one task can go on are not counted.
class priority_walk final : public search_strategy {
public:
    /// @param longest  the expected number of steps of the first execution
    priority_walk(std::uint32_t depth, std::uint64_t seed, std::uint32_t longest = 1)
        : random_(seed), changes_(depth - 1), longest_(longest) {}

    bool new_execution() override {
        longest_ = counted_ > longest_ ? counted_ : longest_;
        counted_ = 0;
        lowest_ = 0;
        priorities_.clear();
        for (std::uint32_t& change : changes_) change = 1 + random_.below(longest_);
        return true;
    }

    std::uint32_t next_task(const choice_point& at) override {
        while (priorities_.size() < at.tasks.size())
            priorities_.push_back(static_cast<std::int64_t>(random_.next() >> 2) + demotions_max);
        if (at.has_yielded) priorities_[at.running] = --lowest_;
        if (at.enabled.size() == 1) return at.enabled[0];
        ++counted_;
        for (std::size_t i = 0; i < changes_.size(); ++i)
            if (changes_[i] == counted_)
                priorities_[highest(at)] = static_cast<std::int64_t>(changes_.size() - i);
        return highest(at);
    }

    std::uint32_t choose(std::uint32_t n) override { return random_.below(n); }

private:
    static constexpr std::int64_t demotions_max = std::int64_t{1} << 32;

    std::uint32_t highest(const choice_point& at) const {
        std::uint32_t found = at.enabled[0];
        for (const std::uint32_t each : at.enabled)
            if (priorities_[each] > priorities_[found]) found = each;
        return found;
    }

    rng random_;
    std::vector<std::int64_t> priorities_;  // above `demotions_max`; demoted; below 0: yielded
    std::vector<std::uint32_t> changes_;    // the counted steps at which priorities change
    std::uint32_t counted_ = 0;
    std::uint32_t longest_ = 1;  // of all executions
    std::int64_t lowest_ = 0;
};

}  // namespace wedge
