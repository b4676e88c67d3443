// Depth-first search over all states of a subject that can tell its state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "wedge/core/check.hpp"
#include "wedge/explore/search/state_graph.hpp"
#include "wedge/explore/search/strategy.hpp"

namespace wedge {

/// Tries every step from every state, for a subject without endless runs. States are distinguished
/// by hashes of 64 bits: among ten million states, two are mistaken for one with a probability of 3
/// in a million.
///
/// Steps that commute are tried in one order only: sleep sets, kept with each state (Godefroid,
/// Partial-Order Methods for the Verification of Concurrent Systems, 1996, section 5.2).
class state_search final : public search_strategy {
public:
    /// @param states_max  the search ends when it has kept this many states
    explicit state_search(std::uint64_t states_max) : states_max_(states_max) {}

    bool new_execution() override {
        is_full_ = graph_.size() >= states_max_;
        if (is_full_ || (is_started_ && !next_path())) return false;
        is_started_ = true;
        depth_ = 0;
        return true;
    }

    std::uint32_t repeated() override {
        if (depth_ == used_) return no_task;
        const point& here = path_[depth_++];
        WEDGE_CHECK(here.alternatives == 0);
        return here.chosen;
    }

    bool looks_at_holds() const noexcept override { return false; }
    std::size_t resumes_after() const noexcept override { return used_ == 0 ? 0 : used_ - 1; }
    void resume(std::size_t decisions) noexcept override { depth_ = decisions; }
    bool comes_back() const noexcept override {
        const point& last = path_[depth_ - 1];
        return last.alternatives == 0 && !last.open.is_empty();
    }

    std::uint32_t next_task(const choice_point& at) override {
        open(at);
        return path_[depth_++].chosen;
    }

    std::uint32_t choose(std::uint32_t n) override {
        if (depth_ == used_) {
            point& made = add_point();
            made.alternatives = n;
            made.chosen = 0;
        }
        const point& here = path_[depth_++];
        WEDGE_CHECK(here.alternatives == n);
        return here.chosen;
    }

    bool is_exhaustive() const noexcept override { return !is_full_ && !has_circled_; }
    bool is_full() const noexcept override { return is_full_; }
    bool has_circled() const noexcept override { return has_circled_; }
    bool follows_failures() const noexcept override { return true; }
    std::uint64_t states() const noexcept override { return graph_.size(); }

private:
    /// A point of the current path: which task ran (alternatives == 0), or what was chosen.
    struct point {
        std::uint32_t chosen = 0;
        std::uint32_t alternatives = 0;
        std::uint32_t state = 0;  ///< `none`: a state with a single step to try, which is not kept
        task_set open;            ///< to try after `chosen`
        task_set asleep;          ///< trying these would repeat executions
        std::vector<step_footprint> next;  ///< of the sleeping and chosen tasks, by ordinal
    };

    point& add_point() {
        if (used_ == path_.size()) path_.emplace_back();
        return path_[used_++];
    }

    void open(const choice_point& at) {
        const point* const before = last_step();
        const task_set asleep = before == nullptr ? task_set{} : still_asleep(*before);
        const std::uint32_t only = at.whole->sufficient();
        const std::uint32_t state = only == no_task ? find_state(at) : state_graph::none;
        point& here = add_point();
        here.alternatives = 0;
        here.state = state;
        here.chosen = no_task;
        here.open = {};
        here.asleep = asleep;
        if (only == no_task)
            open_state(here, at);
        else if (!asleep.has(only))
            here.open.add(only);
        here.next.resize(at.tasks.size());
        here.asleep.joined(here.open).for_each([&](std::uint32_t task) {
            here.next[task] = step_footprint::of(at.tasks[task]->pending);
        });
        choose_next(here, at.running);
    }

    std::uint32_t find_state(const choice_point& at) {
        const auto [state, is_new] = graph_.find_or_add(at.whole->state());
        is_new_ = is_new;
        has_circled_ = has_circled_ || std::exchange(graph_[state].is_on_path, true);
        return state;
    }

    /// Determines the tasks to try in a state that is new, or in which they were asleep before.
    void open_state(point& here, const choice_point& at) {
        state_graph::state& known = graph_[here.state];
        const std::span<const std::uint32_t> places = at.whole->places();
        if (is_new_) {
            const task_set enough = at.whole->enough();
            known.asleep = placed(here.asleep.common(enough), places);
            here.open = enough.without(here.asleep);
            return;
        }
        const task_set again = placed(here.asleep, places);
        for (const std::uint32_t task : at.enabled)
            if (known.asleep.without(again).has(places[task])) here.open.add(task);
        known.asleep = known.asleep.common(again);
    }

    static task_set placed(task_set tasks, std::span<const std::uint32_t> places) {
        task_set all;
        tasks.for_each([&](std::uint32_t task) { all.add(places[task]); });
        return all;
    }

    /// Returns the tasks that were asleep before the last step and commute with it: they stay
    /// asleep.
    static task_set still_asleep(const point& before) {
        task_set asleep;
        before.asleep.for_each([&](std::uint32_t task) {
            if (before.next[task].commutes_with(before.next[before.chosen])) asleep.add(task);
        });
        return asleep;
    }

    /// Chooses the running task if possible, so that the first executions have few switches.
    static void choose_next(point& here, std::uint32_t running) {
        here.chosen = no_task;
        if (here.open.is_empty()) return;
        const bool goes_on = running != no_task && here.open.has(running);
        here.chosen = goes_on ? running : here.open.first();
        here.open.remove(here.chosen);
    }

    const point* last_step() const {
        for (std::size_t i = used_; i-- > 0;)
            if (path_[i].alternatives == 0) return &path_[i];
        return nullptr;
    }

    /// Moves to the next path that has not been tried; returns false if there is none.
    bool next_path() {
        for (; used_ > 0; leave(path_[--used_])) {
            point& last = path_[used_ - 1];
            if (last.alternatives != 0) {
                if (++last.chosen < last.alternatives) return true;
                continue;
            }
            if (last.chosen == no_task) continue;
            last.asleep.add(last.chosen);
            choose_next(last, no_task);
            if (last.chosen != no_task) return true;
        }
        return false;
    }

    void leave(const point& last) {
        if (last.alternatives == 0 && last.state != state_graph::none)
            graph_[last.state].is_on_path = false;
    }

    const std::uint64_t states_max_;
    state_graph graph_;
    std::vector<point> path_;  // points keep their memory; the first `used_` are valid
    std::size_t used_ = 0;
    std::size_t depth_ = 0;
    bool is_new_ = false;  // whether the last state was new
    bool is_started_ = false;
    bool is_full_ = false;
    bool has_circled_ = false;  // a run came back to one of its states: it need not end
};

}  // namespace wedge
