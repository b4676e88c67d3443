// The states that a search has met and the steps between them, and the circles that never end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "wedge/event/schedule.hpp"
#include "wedge/explore/task_set.hpp"

namespace wedge {

/// States are numbered from 0, in the order of discovery; a step leads from one to another, with
/// the choices that were answered on the way.
class state_graph {
public:
    static constexpr std::uint32_t none = ~0U;

    struct state {
        std::uint64_t hash = 0;
        task_set enabled;
        task_set asleep;                ///< the places of those that have not been tried here
        std::uint32_t found_by = none;  ///< the step that led here first; none: the beginning
    };
    struct step {
        std::uint32_t from = 0;
        std::uint32_t to = 0;
        std::uint32_t task = 0;
        bool is_progress = false;
        std::vector<decision> choices;
    };

    std::size_t size() const noexcept { return states_.size(); }
    state& operator[](std::uint32_t i) noexcept { return states_[i]; }
    const std::vector<step>& steps() const noexcept { return steps_; }

    /// The state with this hash, and whether it is new.
    std::pair<std::uint32_t, bool> find_or_add(std::uint64_t hash) {
        if (states_.size() * 2 >= table_.size()) widen();
        std::uint32_t& entry = entry_of(hash);
        if (entry != none) return {entry, false};
        entry = static_cast<std::uint32_t>(states_.size());
        states_.emplace_back().hash = hash;
        return {entry, true};
    }

    void add_step(step&& taken) {
        if (states_[taken.to].found_by == none && taken.to != 0)
            states_[taken.to].found_by = static_cast<std::uint32_t>(steps_.size());
        steps_.push_back(std::move(taken));
    }

    /// The schedule of a run that never ends, is strongly fair and gets nowhere: the way to its
    /// circle, then the circle `rounds` times. Empty: there is none.
    ///
    /// A strongly connected part is one if every task that is enabled somewhere in it takes a step
    /// in it; otherwise the states in which a task is enabled that takes none are left out, and
    /// the rest is looked at again (Lichtenstein and Pnueli, POPL 1985).
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
    /// Where a state with this hash is numbered, or is to be.
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
            if (!steps_[e].is_progress) out[steps_[e].from].push_back(e);
        return out;
    }
    bool is_inside(const step& taken) const { return part_[taken.to] == part_[taken.from]; }

    /// The strongly connected parts, of at least one step, of some states (Tarjan, iteratively).
    /// Afterwards `part_` tells which states are in the same one.
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

    static void take(const step& taken, std::vector<decision>& way) {
        way.push_back({decision::sort::run, taken.task, 0});
        way.insert(way.end(), taken.choices.begin(), taken.choices.end());
    }

    /// From the beginning into the part, then round it, past every step of it.
    std::vector<decision> way_of(const std::vector<std::uint32_t>& part,
                                 const std::vector<std::vector<std::uint32_t>>& out,
                                 unsigned rounds) const {
        const std::uint32_t first = *std::min_element(part.begin(), part.end());
        std::vector<std::uint32_t> back;
        for (std::uint32_t s = first; states_[s].found_by != none; s = steps_[back.back()].from)
            back.push_back(states_[s].found_by);
        std::vector<decision> way = before_first_;
        for (std::size_t i = back.size(); i-- > 0;) take(steps_[back[i]], way);
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

    /// The shortest way within a part.
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

public:
    /// The choices that were answered before the first step.
    void set_beginning(std::vector<decision> choices) { before_first_ = std::move(choices); }

private:
    std::vector<state> states_;
    std::vector<step> steps_;
    std::vector<std::uint32_t> table_;  // numbers, by hash; its size is a power of two
    std::vector<decision> before_first_;
    mutable std::vector<std::uint32_t> part_;
};

}  // namespace wedge
