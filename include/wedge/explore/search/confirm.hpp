// Builds the deadlock of a cycle: parks each task where it is about to close its edge.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "wedge/core/finding.hpp"
#include "wedge/core/rng.hpp"
#include "wedge/explore/search/strategy.hpp"

namespace wedge {

/// A random walk that keeps a task waiting while it holds the `held` lock of an edge and is about
/// to take its `wanted` lock. No task holds an inferred wait: there, a signaller waits where it is
/// about to take the lock on its way to the signal. With one task parked at each edge the deadlock
/// is built. If only parked tasks are left, one of them is released (after Joshi, Park, Sen and
/// Naik, DeadlockFuzzer, 2009).
///
/// Every second execution is no random walk: a task runs until it blocks or is parked, then the
/// next task goes on. A random walk rarely reaches an acquire that needs many steps of one task.
class cycle_confirmation final : public search_strategy {
public:
    cycle_confirmation(std::span<const dependency> cycle, std::uint64_t seed)
        : cycle_(cycle), random_(seed), parked_(cycle.size(), no_task) {}

    bool new_execution() override {
        std::fill(parked_.begin(), parked_.end(), no_task);
        is_in_turn_ = !is_in_turn_;
        return true;
    }

    std::uint32_t next_task(const choice_point& at) override {
        free_.clear();
        for (const std::uint32_t each : at.enabled)
            if (!park(each, *at.tasks[each])) free_.push_back(each);
        if (!free_.empty()) return is_in_turn_ ? in_turn(at.running) : draw(free_);
        const std::uint32_t let_go = draw(at.enabled);
        std::replace(parked_.begin(), parked_.end(), let_go, no_task);
        return let_go;
    }

    std::uint32_t choose(std::uint32_t n) override { return random_.below(n); }

private:
    std::uint32_t draw(std::span<const std::uint32_t> among) {
        return among[random_.below(static_cast<std::uint32_t>(among.size()))];
    }

    /// Returns the running task, else the next one above it.
    std::uint32_t in_turn(std::uint32_t running) {
        if (running == no_task) return draw(free_);
        const auto next = std::lower_bound(free_.begin(), free_.end(), running);
        return next == free_.end() ? free_.front() : *next;
    }

    /// Returns whether the task waits at an edge. The first task that comes there stays.
    bool park(std::uint32_t ordinal, const task& who) {
        for (std::size_t i = 0; i < cycle_.size(); ++i) {
            if (!is_at(cycle_[i], who)) continue;
            if (parked_[i] == no_task) parked_[i] = ordinal;
            if (parked_[i] == ordinal) return true;
        }
        return false;
    }

    static bool is_at(const dependency& edge, const task& who) {
        const operation& next = who.pending;
        if (next.what != step::acquire || next.lock->class_id() != edge.wanted.class_id ||
            next.lock->instance() != edge.wanted.instance)
            return false;
        if (is_inferred_wait(edge.held)) return edge.has_place(next.where);
        return std::any_of(who.held.begin(), who.held.end(), [&](const held_lock& held) {
            return held.class_id == edge.held.class_id && held.instance == edge.held.instance;
        });
    }

    std::span<const dependency> cycle_;
    rng random_;
    std::vector<std::uint32_t> parked_;  // by edge
    std::vector<std::uint32_t> free_;    // rising
    bool is_in_turn_ = true;             // false in the first execution
};

}  // namespace wedge
