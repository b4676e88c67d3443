// Runs the tasks in turn, after some random steps, so that livelocks show.
#pragma once

#include <algorithm>
#include <cstdint>

#include "wedge/core/rng.hpp"
#include "wedge/explore/search/strategy.hpp"

namespace wedge {

/// A few random steps, and then one step of each task that can go on, in turn. Tasks that make no
/// progress in such a fair schedule are in a livelock, which the engine looks for.
class round_robin final : public search_strategy {
public:
    explicit round_robin(std::uint64_t seed) : random_(seed) {}

    bool new_execution() override {
        random_steps_ = random_.below(random_steps_max + 1);
        return true;
    }

    std::uint32_t next_task(const choice_point& at) override {
        const auto n = static_cast<std::uint32_t>(at.enabled.size());
        if (random_steps_ != 0) {
            --random_steps_;
            return at.enabled[random_.below(n)];
        }
        const auto next = at.running == no_task
                              ? at.enabled.begin()
                              : std::upper_bound(at.enabled.begin(), at.enabled.end(), at.running);
        return next == at.enabled.end() ? at.enabled[0] : *next;
    }

    std::uint32_t choose(std::uint32_t n) override { return random_.below(n); }
    bool looks_for_livelocks() const noexcept override { return true; }

private:
    static constexpr std::uint32_t random_steps_max = 40;  // most loops are entered by then

    rng random_;
    std::uint32_t random_steps_ = 0;
};

}  // namespace wedge
