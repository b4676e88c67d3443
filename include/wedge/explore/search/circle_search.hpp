// Search over all states of a subject whose runs may never end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "wedge/core/check.hpp"
#include "wedge/explore/search/state_graph.hpp"
#include "wedge/explore/search/strategy.hpp"

namespace wedge {

/// Tries every step from every state once, keeps all states and steps, and looks for a fair cycle
/// among them: a livelock. It reduces nothing, since a livelock needs the steps that reductions
/// leave out. Only a section of wedge's own mutex counts as one step: no other task can take a step
/// inside it. A section always ends, and its end enables every task that a step inside it enables.
///
/// Each execution takes an untried step, from the shallowest state that has one, and goes on until
/// it reaches a known state. So each execution adds a step to the graph, and a bug a few steps
/// after the beginning is found early, however many states there are.
class circle_search final : public search_strategy {
public:
    /// @param states_max  the search ends when it has kept this many states, or four times as many
    ///     steps
    explicit circle_search(std::uint64_t states_max) : states_max_(states_max) {}

    bool new_execution() override {
        is_full_ = graph_.size() >= states_max_ || graph_.steps().size() >= 4 * states_max_ ||
                   untried_ >= 4 * states_max_;
        if (is_full_ || (is_started_ && untried_ == 0)) return false;
        script_.clear();
        last_step_ = 0;
        is_progress_ = false;
        from_ = state_graph::none;
        task_ = state_graph::none;
        if (std::exchange(is_started_, true)) begin_with(next_untried());
        followed_ = 0;
        answers_.clear();
        return true;
    }

    std::uint32_t repeated() override {
        if (followed_ == script_.size()) return no_task;
        const decision& known = script_[followed_++];
        WEDGE_CHECK(known.what == decision::sort::run);
        if (followed_ <= last_step_)
            answers_.clear();
        else
            answers_.push_back(known);
        return known.value;
    }

    std::uint32_t next_task(const choice_point& at) override {
        has_progressed_ = has_progressed_ || at.has_progressed;
        is_progress_ = is_progress_ || at.has_progressed;
        if (const std::uint32_t inside = at.whole->within_section(); inside != no_task) {
            answers_.push_back({decision::sort::run, inside, 0});
            return inside;
        }
        const auto [state, is_new] = graph_.find_or_add(at.whole->state());
        graph_.add_step({.from = from_,
                         .to = state,
                         .task = task_,
                         .is_progress = std::exchange(is_progress_, false)},
                        answers_);
        answers_.clear();
        if (!is_new) return no_task;
        from_ = state;
        task_ = at.enabled.front();
        for (const std::uint32_t each : at.enabled) {
            graph_[state].enabled.add(each);
            if (each == at.running) task_ = each;  // so that the first executions have few switches
        }
        for (const std::uint32_t each : at.enabled)
            if (each != task_) put_off({.from = state, .task = each});
        return task_;
    }

    std::uint32_t choose(std::uint32_t n) override {
        std::uint32_t answer = 0;
        if (followed_ < script_.size()) {
            const decision& known = script_[followed_++];
            WEDGE_CHECK(known.what == decision::sort::choose && known.of == n);
            answer = known.value;
        } else {
            for (std::uint32_t other = n; --other > 0;)
                put_off({.from = from_,
                         .task = task_,
                         .choices = static_cast<std::uint32_t>(choices_.size()),
                         .count = static_cast<std::uint32_t>(answers_.size()),
                         .last = {decision::sort::choose, other, n}});
            // The other steps begin with the answers given before.
            choices_.insert(choices_.end(), answers_.begin(), answers_.end());
        }
        answers_.push_back({decision::sort::choose, answer, n});
        return answer;
    }

    bool is_exhaustive() const noexcept override { return !is_full_; }
    bool is_full() const noexcept override { return is_full_; }
    bool follows_failures() const noexcept override { return true; }
    bool has_progressed() const noexcept override { return has_progressed_; }
    std::uint64_t states() const noexcept override { return graph_.size(); }
    std::vector<decision> livelock(unsigned rounds) const override {
        return graph_.fair_circle(rounds);
    }

private:
    /// A step that has not been taken, and the answers to its first choices.
    struct untried {
        std::uint32_t from = state_graph::none;
        std::uint32_t task = state_graph::none;
        std::uint32_t choices = 0;  ///< where its `count` choices begin
        std::uint32_t count = 0;
        decision last{decision::sort::run, 0, 0};  ///< one more choice, unless it is no choice
    };

    void put_off(const untried& step) {
        const std::size_t depth = step.from == state_graph::none ? 0 : graph_[step.from].depth;
        if (depth >= by_depth_.size()) by_depth_.resize(depth + 1);
        by_depth_[depth].push_back(step);
        shallowest_ = std::min(shallowest_, depth);
        ++untried_;
    }
    untried next_untried() {
        while (by_depth_[shallowest_].empty()) ++shallowest_;
        const untried next = by_depth_[shallowest_].back();
        by_depth_[shallowest_].pop_back();
        --untried_;
        return next;
    }

    void begin_with(const untried& next) {
        from_ = next.from;
        task_ = next.task;
        if (from_ != state_graph::none) {
            graph_.append_way_to(from_, script_);
            script_.push_back({decision::sort::run, task_, 0});
        }
        last_step_ = script_.size();
        const auto first = choices_.begin() + static_cast<std::ptrdiff_t>(next.choices);
        script_.insert(script_.end(), first, first + static_cast<std::ptrdiff_t>(next.count));
        if (next.last.what == decision::sort::choose) script_.push_back(next.last);
    }

    const std::uint64_t states_max_;
    state_graph graph_;
    std::vector<std::vector<untried>> by_depth_;  // by the depth of the states they belong to
    std::size_t shallowest_ = 0;                  // no shallower state has an untried step
    std::uint64_t untried_ = 0;
    std::vector<decision> choices_;           // of the untried steps, as `answers_`
    std::vector<decision> script_;            // the decisions that the execution begins with
    std::size_t followed_ = 0;                // the number of followed decisions of the script
    std::size_t last_step_ = 0;               // where the decisions within its last step begin
    std::uint32_t from_ = state_graph::none;  // the last step: from this state, by this task
    std::uint32_t task_ = state_graph::none;
    std::vector<decision> answers_;  // since then, and the steps within a section
    bool is_progress_ = false;       // since then, some step said that it made progress
    bool is_started_ = false;
    bool is_full_ = false;
    bool has_progressed_ = false;  // some step said that it made progress
};

}  // namespace wedge
