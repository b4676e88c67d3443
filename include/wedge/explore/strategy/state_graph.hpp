// The states of a search and the steps between them: whether tasks can go round for ever.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace wedge {

/// Built by a search that sees every state and every step. Tasks are bits, so of more than 64
/// some share one, which can only hide a circle.
class state_graph {
public:
    static constexpr std::uint64_t bit_of(std::uint32_t task) noexcept {
        return std::uint64_t{1} << (task % 64);
    }

    std::size_t size() const noexcept { return states_.size(); }
    /// @param enabled  the tasks that can go on
    void add_state(std::uint64_t enabled) { states_.push_back({enabled, {}}); }
    void add_step(std::uint32_t from, std::uint32_t to, std::uint32_t task) {
        states_[from].steps.push_back({to, bit_of(task)});
    }

    /// Whether there is an endless run in which every task that is enabled again and again takes
    /// steps again and again.
    bool has_fair_circle() {
        std::vector<part> open(1);
        open[0].resize(states_.size());
        std::iota(open[0].begin(), open[0].end(), 0U);
        while (!open.empty()) {
            const part here = std::move(open.back());
            open.pop_back();
            ++region_;
            for (const std::uint32_t i : here) states_[i].region = region_;
            for (part& circle : components(here)) {
                const std::uint64_t starved = starved_in(circle);
                if (starved == 0) return true;
                // Without those states where a task waits its turn that never has one.
                std::erase_if(circle,
                              [&](std::uint32_t i) { return (states_[i].enabled & starved) != 0; });
                if (!circle.empty()) open.push_back(std::move(circle));
            }
        }
        return false;
    }

private:
    using part = std::vector<std::uint32_t>;

    struct step {
        std::uint32_t to;
        std::uint64_t task;
    };
    struct state {
        std::uint64_t enabled = 0;
        std::vector<step> steps;
        std::uint32_t region = 0;     // the part in which it is looked at
        std::uint32_t component = 0;  // unique, of that part
        std::uint32_t number = 0;     // below: of the visit in that region
        std::uint32_t low = 0;
        std::size_t next_step = 0;
    };

    /// The tasks that are enabled somewhere in the component and never move in it; all of them
    /// when nobody moves.
    std::uint64_t starved_in(const part& component) const {
        std::uint64_t moved = 0;
        std::uint64_t enabled = 0;
        for (const std::uint32_t i : component) {
            enabled |= states_[i].enabled;
            for (const step& each : states_[i].steps)
                if (states_[each.to].component == states_[i].component) moved |= each.task;
        }
        return moved == 0 ? ~std::uint64_t{0} : enabled & ~moved;
    }

    /// The strongly connected components of a part (Tarjan, 1972), without recursion.
    std::vector<part> components(const part& of) {
        std::vector<part> found;
        part path;
        part unassigned;
        std::uint32_t visited = 0;
        const auto visit = [&](std::uint32_t i) {
            states_[i].number = states_[i].low = ++visited;
            states_[i].next_step = 0;
            path.push_back(i);
            unassigned.push_back(i);
        };
        for (const std::uint32_t i : of) states_[i].number = states_[i].component = 0;
        for (const std::uint32_t start : of) {
            if (states_[start].number == 0) visit(start);
            while (!path.empty()) {
                state& here = states_[path.back()];
                if (here.next_step < here.steps.size()) {
                    const std::uint32_t to = here.steps[here.next_step++].to;
                    const state& next = states_[to];
                    if (next.region != region_) continue;
                    if (next.number == 0)
                        visit(to);
                    else if (next.component == 0)
                        here.low = std::min(here.low, next.number);
                    continue;
                }
                const std::uint32_t done = path.back();
                path.pop_back();
                if (!path.empty())
                    states_[path.back()].low = std::min(states_[path.back()].low, here.low);
                if (here.low != here.number) continue;
                ++component_;
                found.emplace_back();
                for (std::uint32_t i = ~done; i != done;) {
                    i = unassigned.back();
                    unassigned.pop_back();
                    states_[i].component = component_;
                    found.back().push_back(i);
                }
            }
        }
        return found;
    }

    std::vector<state> states_;
    std::uint32_t region_ = 0;
    std::uint32_t component_ = 0;
};

}  // namespace wedge
