// Depth-first search over all states, which leaves nothing out and keeps every step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "wedge/core/check.hpp"
#include "wedge/explore/search/state_graph.hpp"
#include "wedge/explore/search/strategy.hpp"

namespace wedge {

/// Tries every step and every choice from every state, and keeps the state that each leads to. For
/// a certificate: a reader need not trust a reduction.
///
/// Drive it by a `controller`, over a subject that tells its state and treats no two tasks as
/// equal. Call `ended` after each execution that is complete. States are distinguished by their
/// hashes.
class closed_set_search final : public search_strategy {
public:
    static constexpr std::uint32_t beginning = ~0U;  ///< as a source
    static constexpr std::uint32_t done = ~0U;       ///< as a target: no task goes on

    /// A step of a task, with the choices that were answered on the way.
    struct edge {
        std::uint32_t from = beginning;
        std::uint32_t to = done;
        std::uint32_t task = no_task;
        std::vector<decision> choices;
    };

    bool new_execution() override {
        if (is_started_ && !next_path()) return false;
        is_started_ = true;
        depth_ = 0;
        return true;
    }

    std::uint32_t next_task(const choice_point& at) override {
        if (depth_ == path_.size()) {
            const auto [state, is_new] = states_.find_or_add(at.whole->state());
            arrive(state);
            point& made = path_.emplace_back();
            made.state = state;
            if (is_new) made.open.assign(at.enabled.begin(), at.enabled.end());
            take_next(made);
        }
        return path_[depth_++].chosen;
    }

    std::uint32_t choose(std::uint32_t n) override {
        if (depth_ == path_.size()) {
            point& made = path_.emplace_back();
            made.alternatives = n;
            made.chosen = 0;
        }
        const point& here = path_[depth_++];
        WEDGE_CHECK(here.alternatives == n);
        return here.chosen;
    }

    /// Called when the execution is complete: its last step leads to a state in which no task goes
    /// on.
    void ended() { arrive(done); }

    bool is_exhaustive() const noexcept override { return true; }
    std::uint64_t states() const noexcept override { return states_.size(); }
    const std::vector<edge>& edges() const noexcept { return edges_; }

private:
    /// A point of the current path: which task ran (alternatives == 0), or what was chosen.
    struct point {
        std::uint32_t state = beginning;
        std::uint32_t alternatives = 0;
        std::uint32_t chosen = no_task;
        std::vector<std::uint32_t> open;  ///< tasks to try after `chosen`
    };

    static void take_next(point& at) {
        at.chosen = no_task;
        if (at.open.empty()) return;
        at.chosen = at.open.back();
        at.open.pop_back();
    }

    /// Notes the state that the path's last step leads to.
    void arrive(std::uint32_t to) {
        edge& made = edges_.emplace_back();
        made.to = to;
        std::size_t first = path_.size();
        while (first > 0 && path_[first - 1].alternatives != 0) --first;
        for (std::size_t i = first; i < path_.size(); ++i)
            made.choices.push_back(
                {decision::sort::choose, path_[i].chosen, path_[i].alternatives});
        if (first == 0) return;
        made.from = path_[first - 1].state;
        made.task = path_[first - 1].chosen;
    }

    bool next_path() {
        for (; !path_.empty(); path_.pop_back()) {
            point& last = path_.back();
            if (last.alternatives == 0) {
                take_next(last);
                if (last.chosen != no_task) return true;
            } else if (++last.chosen < last.alternatives) {
                return true;
            }
        }
        return false;
    }

    state_graph states_;
    std::vector<edge> edges_;
    std::vector<point> path_;
    std::size_t depth_ = 0;
    bool is_started_ = false;
};

}  // namespace wedge
