// A random walk that is uniform over the orders of a few interesting steps.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "wedge/core/rng.hpp"
#include "wedge/explore/search/remaining.hpp"
#include "wedge/explore/search/strategy.hpp"

namespace wedge {

/// Draws the task that takes the next interesting step, with a probability proportional to its
/// remaining interesting steps. It holds back every other task that is about to take such a step
/// (Zhao, Zhou, Xu and others, Selectively Uniform Concurrency Testing, 2025).
class selective_walk final : public search_strategy {
public:
    /// @param locks  the ordinals of the locks whose steps are interesting. The caller keeps the
    ///     list, and may add to it between executions. Empty: all steps are
    selective_walk(const std::vector<std::uint32_t>& locks, std::uint64_t seed)
        : locks_(locks), random_(seed) {}

    bool new_execution() override {
        left_.new_execution();
        interesting_.new_execution();
        intended_ = no_task;
        return true;
    }

    std::uint32_t next_task(const choice_point& at) override {
        if (intended_ == no_task) draw_intended(at);
        free_.clear();
        for (const std::uint32_t each : at.enabled)
            if (intended_ == no_task || each == intended_ || !is_interesting(*at.tasks[each]))
                free_.push_back(each);
        if (free_.empty()) free_.assign(at.enabled.begin(), at.enabled.end());
        const std::uint32_t next = left_.draw(free_, random_, 1, free_[0]);
        left_.took_step(next);
        if (is_interesting(*at.tasks[next])) {
            interesting_.took_step(next);
            intended_ = no_task;
        }
        return next;
    }

    std::uint32_t choose(std::uint32_t n) override { return random_.below(n); }
    void observe_execution() override {
        left_.new_execution();
        interesting_.new_execution();
    }
    void observe_step(const task& who) override {
        left_.took_step(who.ordinal);
        if (is_interesting(who)) interesting_.took_step(who.ordinal);
    }

private:
    bool is_interesting(const task& who) const {
        const lock_identity* const lock = who.pending.lock;
        if (lock == nullptr || who.pending.what == step::release) return false;
        return locks_.empty() ||
               std::find(locks_.begin(), locks_.end(), lock->instance()) != locks_.end();
    }

    void draw_intended(const choice_point& at) {
        free_.clear();
        for (std::uint32_t each = 0; each < at.tasks.size(); ++each) free_.push_back(each);
        intended_ = interesting_.draw(free_, random_, 0, no_task);
    }

    const std::vector<std::uint32_t>& locks_;
    rng random_;
    remaining_steps left_;
    remaining_steps interesting_;
    std::uint32_t intended_ = no_task;
    std::vector<std::uint32_t> free_;
};

}  // namespace wedge
