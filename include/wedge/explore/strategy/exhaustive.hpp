// Depth-first search over all schedules and choices, with sleep sets.
#pragma once

#include <algorithm>
#include <vector>

#include "wedge/base/check.hpp"
#include "wedge/explore/strategy/strategy.hpp"

namespace wedge {

/// Tries every schedule, one of each set that differ only in the order of commuting steps (sleep
/// sets: Godefroid, Partial-Order Methods for the Verification of Concurrent Systems, 1996).
///
/// Continues the running task first, so that the first executions have few switches. An execution
/// that would only repeat an earlier one is given up when that shows.
class exhaustive_search final : public search_strategy {
public:
    bool new_execution() override {
        if (is_started_ && !next_path()) return false;
        is_started_ = true;
        depth_ = 0;
        return true;
    }

    std::uint32_t next_task(const choice_point& at) override {
        const bool is_new = depth_ == used_;
        node& here = node_here();
        if (is_new) open(here, at);
        WEDGE_CHECK(here.alternatives == 0);
        if (here.chosen == no_task) return no_task;
        ++depth_;
        return here.chosen;
    }

    std::uint32_t choose(std::uint32_t n) override {
        const bool is_new = depth_ == used_;
        node& here = node_here();
        if (is_new) {
            here.alternatives = n;
            here.chosen = 0;
            here.sleeping = depth_ == 0 ? std::vector<sleeper>{} : asleep_after(depth_ - 1);
        }
        WEDGE_CHECK(here.alternatives == n);
        ++depth_;
        return here.chosen;
    }

    bool is_exhaustive() const noexcept override { return true; }

private:
    struct sleeper {
        std::uint32_t task = 0;
        step_footprint next;
    };
    /// A point of the current path: which task ran (alternatives == 0), or what was chosen.
    struct node {
        std::uint32_t chosen = 0;
        std::uint32_t alternatives = 0;
        std::vector<sleeper> enabled;   // with the step each would take
        std::vector<sleeper> sleeping;  // exploring these here would repeat
    };

    node& node_here() {
        if (depth_ == used_) {
            if (used_ == path_.size()) path_.emplace_back();
            ++used_;
        }
        return path_[depth_];
    }

    void open(node& here, const choice_point& at) {
        here.alternatives = 0;
        here.sleeping = depth_ == 0 ? std::vector<sleeper>{} : asleep_after(depth_ - 1);
        here.enabled.clear();
        for (const std::uint32_t task : at.enabled)
            here.enabled.push_back({task, step_footprint::of(at.tasks[task]->pending)});
        here.chosen = first_awake(here, at.running);
    }

    static bool is_asleep(const node& here, std::uint32_t task) {
        return std::any_of(here.sleeping.begin(), here.sleeping.end(),
                           [&](const sleeper& s) { return s.task == task; });
    }
    static std::uint32_t first_awake(const node& here, std::uint32_t preferred) {
        std::uint32_t found = no_task;
        for (const sleeper& each : here.enabled) {
            if (is_asleep(here, each.task)) continue;
            if (each.task == preferred) return preferred;
            if (found == no_task) found = each.task;
        }
        return found;
    }

    /// Who still sleeps after the step taken at a depth: those whose steps commute with it.
    std::vector<sleeper> asleep_after(std::size_t depth) const {
        const node& before = path_[depth];
        if (before.alternatives != 0) return before.sleeping;
        const auto ran = std::find_if(before.enabled.begin(), before.enabled.end(),
                                      [&](const sleeper& s) { return s.task == before.chosen; });
        std::vector<sleeper> still;
        for (const sleeper& each : before.sleeping)
            if (each.next.commutes_with(ran->next)) still.push_back(each);
        return still;
    }

    /// Steps to the next path that has not been tried; false: there is none.
    bool next_path() {
        for (; used_ > 0; --used_) {
            node& last = path_[used_ - 1];
            if (last.alternatives != 0) {
                if (++last.chosen < last.alternatives) return true;
                continue;
            }
            if (last.chosen == no_task) continue;
            const auto ran =
                std::find_if(last.enabled.begin(), last.enabled.end(),
                             [&](const sleeper& s) { return s.task == last.chosen; });
            last.sleeping.push_back(*ran);
            last.chosen = first_awake(last, no_task);
            if (last.chosen != no_task) return true;
        }
        return false;
    }

    std::vector<node> path_;  // nodes keep their memory; the first `used_` are valid
    std::size_t used_ = 0;
    std::size_t depth_ = 0;
    bool is_started_ = false;
};

}  // namespace wedge
