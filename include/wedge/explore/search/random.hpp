// Random walk: the next task is drawn uniformly among those that can go on.
#pragma once

#include "wedge/core/rng.hpp"
#include "wedge/explore/search/strategy.hpp"

namespace wedge {

class random_walk final : public search_strategy {
public:
    explicit random_walk(std::uint64_t seed) : random_(seed) {}

    bool new_execution() override { return true; }
    std::uint32_t next_task(const choice_point& at) override {
        if (at.enabled.size() == 1) return at.enabled[0];
        return at.enabled[random_.below(static_cast<std::uint32_t>(at.enabled.size()))];
    }
    std::uint32_t choose(std::uint32_t n) override { return random_.below(n); }

private:
    rng random_;
};

}  // namespace wedge
