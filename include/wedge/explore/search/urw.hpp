// A random walk in which a task is drawn in proportion to its remaining steps.
#pragma once

#include <cstdint>

#include "wedge/core/rng.hpp"
#include "wedge/explore/search/remaining.hpp"
#include "wedge/explore/search/strategy.hpp"

namespace wedge {

/// Interleaves tasks that never wait for each other uniformly: all orders of their steps have equal
/// probabilities (Zhao, Zhou, Xu and others, Selectively Uniform Concurrency Testing, 2025).
class uniform_walk final : public search_strategy {
public:
    explicit uniform_walk(std::uint64_t seed) : random_(seed) {}

    bool new_execution() override {
        left_.new_execution();
        return true;
    }

    std::uint32_t next_task(const choice_point& at) override {
        const std::uint32_t next = left_.draw(at.enabled, random_, 1, at.enabled[0]);
        left_.took_step(next);
        return next;
    }

    std::uint32_t choose(std::uint32_t n) override { return random_.below(n); }
    void observe_execution() override { left_.new_execution(); }
    void observe_step(const task& who) override { left_.took_step(who.ordinal); }

private:
    rng random_;
    remaining_steps left_;
};

}  // namespace wedge
