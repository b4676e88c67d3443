// The states that a search has met, the steps between them, and the cycles that never end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "wedge/core/schedule.hpp"
#include "wedge/explore/engine/task_set.hpp"

namespace wedge {

/// States are numbered from 0, in the order of discovery. A step leads from one state to another,
/// with the choices that were answered on the way. An execution may begin with choices, so it may
/// have several initial states: a step without a task leads to each of them.
class state_graph {
public:
    static constexpr std::uint32_t none = ~0U;

    struct state {
        std::uint64_t hash = 0;
        bool is_on_path = false;  ///< of the current execution; kept by a depth-first search alone
        task_set enabled;
        task_set asleep;                ///< the places of tasks that have not been tried here
        std::uint32_t found_by = none;  ///< the step that leads here on the shortest known path
        std::uint32_t depth = 0;        ///< an upper bound of the length of that path
    };
    struct step {
        std::uint32_t from = none;  ///< none: the beginning of an execution
        std::uint32_t to = 0;
        std::uint32_t task = none;  ///< none: the beginning of an execution
        bool is_progress = false;
        std::uint32_t choices = 0;  ///< where its choices begin
        std::uint32_t choices_end = 0;
    };

    std::size_t size() const noexcept { return states_.size(); }
    state& operator[](std::uint32_t i) noexcept { return states_[i]; }
    const std::vector<step>& steps() const noexcept { return steps_; }

    /// Returns the state with this hash, and whether it is new.
    std::pair<std::uint32_t, bool> find_or_add(std::uint64_t hash) {
        if (states_.size() * 2 >= table_.size()) widen();
        std::uint32_t& entry = entry_of(hash);
        if (entry != none) return {entry, false};
        entry = static_cast<std::uint32_t>(states_.size());
        states_.emplace_back().hash = hash;
        return {entry, true};
    }

    /// @param taken  its choices are filled in here
    void add_step(step taken, std::span<const decision> choices) {
        state& to = states_[taken.to];
        const std::uint32_t depth = taken.from == none ? 0 : states_[taken.from].depth + 1;
        // Depths rise along the paths that are kept, so these paths are never cyclic.
        if (to.found_by == none || depth < to.depth) {
            to.found_by = static_cast<std::uint32_t>(steps_.size());
            to.depth = depth;
        }
        taken.choices = static_cast<std::uint32_t>(choices_.size());
        choices_.insert(choices_.end(), choices.begin(), choices.end());
        taken.choices_end = static_cast<std::uint32_t>(choices_.size());
        steps_.push_back(taken);
    }

    /// Appends the decisions that lead from the beginning to a state.
    void append_way_to(std::uint32_t to, std::vector<decision>& way) const {
        std::vector<std::uint32_t> back;
        for (std::uint32_t s = to; s != none; s = steps_[back.back()].from)
            back.push_back(states_[s].found_by);
        for (std::size_t i = back.size(); i-- > 0;) take(steps_[back[i]], way);
    }

    /// Returns the schedule of a run that never ends, is strongly fair and makes no progress: the
    /// path to its cycle, then the cycle `rounds` times. Empty: there is none.
    ///
    /// A strongly connected part is fair if every task that is enabled somewhere in it takes a step
    /// in it. Otherwise the states are removed in which some enabled task takes no step, and the
    /// rest is examined again (Lichtenstein and Pnueli, POPL 1985).
    std::vector<decision> fair_circle(unsigned rounds) const {
        std::vector<std::uint32_t> all(states_.size());
        for (std::uint32_t i = 0; i < all.size(); ++i) all[i] = i;
        std::vector<std::vector<std::uint32_t>> open{std::move(all)};
        const std::vector<std::vector<std::uint32_t>> out = steps_by_state();
        while (!open.empty()) {
            const std::vector<std::uint32_t> part = std::move(open.back());
            open.pop_back();
            for (std::vector<std::uint32_t>& strong : strong_parts(part, out)) {
                task_set enabled;
                task_set moving;
                for (const std::uint32_t s : strong) {
                    enabled = enabled.joined(states_[s].enabled);
                    for (const std::uint32_t e : out[s])
                        if (is_inside(steps_[e])) moving.add(steps_[e].task);
                }
                const task_set starved = enabled.without(moving);
                if (!starved.meets(enabled)) return way_of(strong, out, rounds);
                std::erase_if(strong,
                              [&](std::uint32_t s) { return states_[s].enabled.meets(starved); });
                if (!strong.empty()) open.push_back(std::move(strong));
            }
        }
        return {};
    }

private:
    /// Returns the place where a state with this hash is numbered, or can be.
    std::uint32_t& entry_of(std::uint64_t hash) {
        const std::size_t mask = table_.size() - 1;
        std::size_t i = hash & mask;
        while (table_[i] != none && states_[table_[i]].hash != hash) i = (i + 1) & mask;
        return table_[i];
    }
    void widen() {
        constexpr std::size_t first = 256;
        table_.assign(std::max(first, table_.size() * 2), none);
        for (std::uint32_t i = 0; i < states_.size(); ++i) entry_of(states_[i].hash) = i;
    }

    std::vector<std::vector<std::uint32_t>> steps_by_state() const {
        std::vector<std::vector<std::uint32_t>> out(states_.size());
        for (std::uint32_t e = 0; e < steps_.size(); ++e)
            if (steps_[e].from != none && !steps_[e].is_progress) out[steps_[e].from].push_back(e);
        return out;
    }
    bool is_inside(const step& taken) const { return part_[taken.to] == part_[taken.from]; }

    /// Returns the strongly connected parts, of at least one step, of some states (Tarjan,
    /// iteratively). Afterwards `part_` tells which states are in one part.
    std::vector<std::vector<std::uint32_t>> strong_parts(
        const std::vector<std::uint32_t>& among,
        const std::vector<std::vector<std::uint32_t>>& out) const {
        struct visit {
            std::uint32_t state;
            std::size_t next;
        };
        constexpr std::uint32_t outside = none;
        std::vector<std::uint32_t> index(states_.size(), outside);
        std::vector<std::uint32_t> low(states_.size(), 0);
        std::vector<bool> is_among(states_.size(), false);
        for (const std::uint32_t s : among) is_among[s] = true;
        part_.assign(states_.size(), outside);
        std::vector<std::vector<std::uint32_t>> found;
        std::vector<std::uint32_t> stack;
        std::vector<visit> path;
        std::uint32_t used = 0;
        std::uint32_t parts = 0;
        for (const std::uint32_t root : among) {
            if (index[root] != outside) continue;
            path.push_back({root, 0});
            while (!path.empty()) {
                const std::uint32_t s = path.back().state;
                if (path.back().next == 0 && index[s] == outside) {
                    index[s] = low[s] = used++;
                    stack.push_back(s);
                }
                if (path.back().next < out[s].size()) {
                    const std::uint32_t to = steps_[out[s][path.back().next++]].to;
                    if (!is_among[to] || part_[to] != outside) continue;
                    if (index[to] == outside)
                        path.push_back({to, 0});
                    else
                        low[s] = std::min(low[s], index[to]);
                    continue;
                }
                path.pop_back();
                if (!path.empty())
                    low[path.back().state] = std::min(low[path.back().state], low[s]);
                if (low[s] != index[s]) continue;
                std::vector<std::uint32_t>& part = found.emplace_back();
                std::uint32_t last = none;
                do {
                    last = stack.back();
                    stack.pop_back();
                    part_[last] = parts;
                    part.push_back(last);
                } while (last != s);
                ++parts;
            }
        }
        std::erase_if(found, [&](const std::vector<std::uint32_t>& part) {
            return part.size() == 1 &&
                   std::none_of(out[part[0]].begin(), out[part[0]].end(),
                                [&](std::uint32_t e) { return steps_[e].to == part[0]; });
        });
        return found;
    }

    void take(const step& taken, std::vector<decision>& way) const {
        if (taken.task != none) way.push_back({decision::sort::run, taken.task, 0});
        way.insert(way.end(), choices_.begin() + taken.choices,
                   choices_.begin() + taken.choices_end);
    }

    /// Returns the path from the beginning into the part and then around it, past a step of each
    /// task.
    std::vector<decision> way_of(const std::vector<std::uint32_t>& part,
                                 const std::vector<std::vector<std::uint32_t>>& out,
                                 unsigned rounds) const {
        const std::uint32_t first =
            *std::min_element(part.begin(), part.end(), [&](std::uint32_t a, std::uint32_t b) {
                return std::pair(states_[a].depth, a) < std::pair(states_[b].depth, b);
            });
        std::vector<decision> way;
        append_way_to(first, way);
        std::vector<decision> circle;
        std::uint32_t at = first;
        task_set moved;
        for (const std::uint32_t s : part) {
            for (const std::uint32_t e : out[s]) {
                if (!is_inside(steps_[e]) || moved.has(steps_[e].task)) continue;
                moved.add(steps_[e].task);
                go(at, s, out, circle);
                take(steps_[e], circle);
                at = steps_[e].to;
            }
        }
        go(at, first, out, circle);
        for (unsigned i = 0; i < rounds; ++i) way.insert(way.end(), circle.begin(), circle.end());
        return way;
    }

    /// Appends the shortest path within a part.
    void go(std::uint32_t from, std::uint32_t to,
            const std::vector<std::vector<std::uint32_t>>& out, std::vector<decision>& way) const {
        std::unordered_map<std::uint32_t, std::uint32_t> came_by;
        std::vector<std::uint32_t> queue{from};
        for (std::size_t i = 0; i < queue.size() && from != to && !came_by.contains(to); ++i) {
            for (const std::uint32_t e : out[queue[i]]) {
                const std::uint32_t next = steps_[e].to;
                if (!is_inside(steps_[e]) || next == from || !came_by.emplace(next, e).second)
                    continue;
                queue.push_back(next);
            }
        }
        std::vector<std::uint32_t> back;
        for (std::uint32_t s = to; s != from; s = steps_[back.back()].from)
            back.push_back(came_by.at(s));
        for (std::size_t i = back.size(); i-- > 0;) take(steps_[back[i]], way);
    }

    std::vector<state> states_;
    std::vector<step> steps_;
    std::vector<decision> choices_;     // of all steps
    std::vector<std::uint32_t> table_;  // numbers, by hash; its size is a power of two
    mutable std::vector<std::uint32_t> part_;
};

}  // namespace wedge
