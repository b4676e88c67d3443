// Depth-first search over all schedules and choices, without those that only repeat others.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "wedge/core/check.hpp"
#include "wedge/explore/search/step_history.hpp"
#include "wedge/explore/search/strategy.hpp"

namespace wedge {

/// Tries one schedule of each set of schedules that differ only in the order of commuting steps.
///
/// Sleep sets (Godefroid, Partial-Order Methods for the Verification of Concurrent Systems, 1996)
/// ensure that no two of a set are completed. Source sets (Abdulla, Aronis, Jonsson and Sagonas,
/// Optimal Dynamic Partial Order Reduction, 2014) ensure that few are begun: another task is tried
/// at a step only if a later step races with it.
///
/// It continues the running task first, so that the first executions have few switches; after a
/// yield, another task. An execution that would only repeat an earlier one is given up when that
/// shows.
class exhaustive_search final : public search_strategy {
public:
    /// @param preemptions_max  how often to leave a task that could go on. With a bound nothing is
    ///     reduced: of equivalent schedules the others may have more preemptions
    /// @param steps_max  an execution that takes this many steps is cut by the engine
    explicit exhaustive_search(std::optional<std::uint32_t> preemptions_max = std::nullopt,
                               std::uint64_t steps_max = ~std::uint64_t{0})
        : preemptions_max_(preemptions_max), steps_max_(steps_max) {}

    bool new_execution() override {
        if (steps_ >= steps_max_) shorten();
        if (is_started_ && !next_path()) return false;
        is_started_ = true;
        depth_ = 0;
        steps_ = 0;
        return true;
    }

    std::uint32_t next_task(const choice_point& at) override {
        const bool is_new = depth_ == used_;
        node& here = node_here();
        if (is_new) open(here, at);
        WEDGE_CHECK(here.alternatives == 0);
        if (here.chosen == no_task) {
            if (has_seen_failures_) want_reversals(at.tasks);
            return no_task;
        }
        if (steps_ == history_.size()) take(here, at);
        ++steps_;
        ++depth_;
        return here.chosen;
    }

    std::uint32_t choose(std::uint32_t n) override {
        const bool is_new = depth_ == used_;
        node& here = node_here();
        if (is_new) {
            inherit(here);
            inherit_sleeping(here);
            here.alternatives = n;
            here.chosen = 0;
        }
        WEDGE_CHECK(here.alternatives == n);
        ++depth_;
        return here.chosen;
    }

    void got_stuck(std::span<const std::uint32_t> waiting,
                   std::span<const task* const> tasks) override {
        if (!is_reduced()) return;
        history_.see_tasks(tasks.size());  // tasks may be stuck before the first step
        for (const std::uint32_t each : waiting) want_reversals(*tasks[each]);
    }

    /// The steps behind the failure are not seen, nor with what they race. So in the place of the
    /// failing step all others are tried. Where these come to an end since only failing steps are
    /// left, some task may still wait for what the failing one never does.
    void has_failed(std::span<const std::uint32_t> left,
                    std::span<const task* const> tasks) override {
        has_seen_failures_ = true;
        if (steps_ == 0) is_cut_ = true;  // no task came to a step, and no other order is tried
        got_stuck(left, tasks);
        for (std::size_t i = depth_; i-- > 0;) {
            if (path_[i].alternatives != 0) continue;
            for (branch& each : enabled(path_[i])) each.is_wanted = true;
            break;
        }
    }
    bool follows_failures() const noexcept override { return true; }
    bool is_exhaustive() const noexcept override { return !is_cut_; }

private:
    struct branch {
        std::uint32_t task = 0;
        step_footprint next;
        bool is_wanted = false;
    };
    /// A point of the current path: which task ran (alternatives == 0), or what was chosen.
    struct node {
        std::uint32_t chosen = 0;
        std::uint32_t alternatives = 0;
        std::uint32_t steps = 0;  // before it
        std::uint32_t yields = 0;
        std::uint32_t preemptions = 0;
        std::uint32_t running = no_task;  // the task that would be preempted
        // Places in `branches_`: the enabled tasks, and then those that sleep. To explore these
        // here would repeat schedules.
        std::size_t first = 0;
        std::size_t sleeping = 0;
        std::size_t end = 0;
    };

    /// The number of yields after which an endless loop is cut, so that nothing is proved. It is
    /// more than loops that give up by themselves usually try.
    static constexpr std::uint32_t yields_max = 200;
    static constexpr std::uint64_t steps_after_cut_max = 500;

    /// Called when an endless loop was met. Later executions follow it less far; otherwise every
    /// end would be tried after every number of rounds.
    void shorten() {
        is_cut_ = true;
        steps_max_ = std::min<std::uint64_t>(steps_max_, steps_after_cut_max);
        used_ = std::min(used_, static_cast<std::size_t>(steps_max_));
    }

    bool is_reduced() const noexcept { return !preemptions_max_; }

    node& node_here() {
        if (depth_ == used_) {
            if (used_ == path_.size()) path_.emplace_back();
            ++used_;
            path_[depth_].first = branches_.size();
        }
        return path_[depth_];
    }

    std::span<branch> enabled(const node& of) noexcept {
        return {branches_.data() + of.first, of.sleeping - of.first};
    }
    std::span<const branch> enabled(const node& of) const noexcept {
        return {branches_.data() + of.first, of.sleeping - of.first};
    }
    std::span<const branch> sleeping(const node& of) const noexcept {
        return {branches_.data() + of.sleeping, of.end - of.sleeping};
    }
    /// Only for the last point of the path.
    void add_sleeping(node& last, branch one) {
        branches_.push_back(one);
        ++last.end;
    }

    /// Copies what a new point has in common with the point before it.
    void inherit(node& here) {
        here.steps = steps_;
        here.yields = here.preemptions = 0;
        here.running = no_task;
        if (depth_ == 0) return;
        const node& before = path_[depth_ - 1];
        here.yields = before.yields;
        here.preemptions = before.preemptions;
        if (before.alternatives == 0 && is_preemption(before, before.chosen)) ++here.preemptions;
    }
    /// Called when the point has its enabled tasks.
    void inherit_sleeping(node& here) {
        here.sleeping = here.end = branches_.size();
        if (depth_ == 0 || !is_reduced()) return;
        const node& before = path_[depth_ - 1];
        if (before.sleeping == before.end) return;
        const bool is_choice = before.alternatives != 0;
        const step_footprint ran =
            is_choice ? step_footprint{} : branch_of(before, before.chosen).next;
        for (std::size_t i = before.sleeping; i < before.end; ++i)
            if (is_choice || branches_[i].next.commutes_with(ran)) add_sleeping(here, branches_[i]);
    }

    void open(node& here, const choice_point& at) {
        inherit(here);
        here.alternatives = 0;
        if (at.has_yielded)
            ++here.yields;
        else
            here.running = at.running;
        for (const std::uint32_t task : at.enabled)
            branches_.push_back({task, step_footprint::of(at.tasks[task]->pending), !is_reduced()});
        inherit_sleeping(here);
        here.chosen = no_task;
        if (here.yields > yields_max || (is_cut_ && steps_ >= steps_max_))
            is_cut_ = true;
        else
            choose_first(here, at);
    }

    /// Chooses the running task, or after a yield the next one in turn.
    void choose_first(node& here, const choice_point& at) {
        const auto rank = [&](std::uint32_t task) {
            if (task == here.running) return 0;
            return at.has_yielded && task <= at.running ? 2 : 1;
        };
        for (const branch& each : enabled(here)) {
            if (is_asleep(here, each.task)) continue;
            if (here.chosen == no_task || rank(each.task) < rank(here.chosen))
                here.chosen = each.task;
        }
    }

    void take(node& here, const choice_point& at) {
        if (!is_reduced()) return;
        const task& who = *at.tasks[here.chosen];
        history_.see_tasks(at.tasks.size());
        want_reversals(who);
        history_.add(who);
        place_of_step_.resize(steps_);
        place_of_step_.push_back(depth_);
    }

    /// Ensures that each step that races with the task's next step is tried in the other order too.
    void want_reversals(const task& who) {
        history_.for_each_race(
            who, [&](std::uint32_t step, const std::vector<std::uint32_t>& beginnings) {
                node& there = path_[place_of_step_[step - 1]];
                branch* found = nullptr;
                for (const std::uint32_t task : beginnings) {
                    if (is_asleep(there, task) || task == there.chosen) return;
                    for (branch& each : enabled(there)) {
                        if (each.task != task) continue;
                        if (each.is_wanted) return;
                        found = &each;  // the last one is the racing task itself, if possible
                    }
                }
                if (found != nullptr)
                    found->is_wanted = true;
                else
                    for (branch& each : enabled(there)) each.is_wanted = true;
            });
    }

    void want_reversals(std::span<const task* const> tasks) {
        if (!is_reduced()) return;
        history_.see_tasks(tasks.size());
        for (const task* const each : tasks) want_reversals(*each);
    }

    bool is_asleep(const node& here, std::uint32_t task) const {
        return std::ranges::any_of(sleeping(here),
                                   [&](const branch& each) { return each.task == task; });
    }
    const branch& branch_of(const node& here, std::uint32_t task) const {
        return *std::ranges::find(enabled(here), task, &branch::task);
    }
    bool is_preemption(const node& here, std::uint32_t task) const {
        return here.running != task && std::ranges::any_of(enabled(here), [&](const branch& each) {
                   return each.task == here.running;
               });
    }

    /// Moves to the next path that has not been tried; returns false if there is none.
    bool next_path() {
        for (; used_ > 0; --used_) {
            node& last = path_[used_ - 1];
            branches_.resize(last.end);
            if (last.alternatives != 0) {
                if (++last.chosen == last.alternatives) continue;
            } else {
                if (last.chosen == no_task || !choose_another(last)) continue;
            }
            history_.truncate(std::min(last.steps, history_.size()));
            return true;
        }
        return false;
    }

    bool choose_another(node& last) {
        add_sleeping(last, branch_of(last, last.chosen));
        last.chosen = no_task;
        for (const branch& each : enabled(last)) {
            if (!each.is_wanted || is_asleep(last, each.task)) continue;
            if (preemptions_max_ && last.preemptions >= *preemptions_max_ &&
                is_preemption(last, each.task)) {
                is_cut_ = true;
                continue;
            }
            last.chosen = each.task;
            return true;
        }
        return false;
    }

    const std::optional<std::uint32_t> preemptions_max_;
    std::uint64_t steps_max_;
    std::vector<node> path_;                  // the first `used_` are valid
    std::vector<branch> branches_;            // of all points of the path
    std::vector<std::size_t> place_of_step_;  // in the path
    step_history history_;
    std::size_t used_ = 0;
    std::size_t depth_ = 0;
    std::uint32_t steps_ = 0;
    bool is_started_ = false;
    bool is_cut_ = false;
    bool has_seen_failures_ = false;  // some execution ended by an exception
};

}  // namespace wedge
