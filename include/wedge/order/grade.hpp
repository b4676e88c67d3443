// How believable a cycle is: the observations that explain it best, and its grade.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "wedge/core/finding.hpp"
#include "wedge/core/lock_class.hpp"
#include "wedge/order/context_class.hpp"
#include "wedge/order/graph.hpp"

namespace wedge {

/// The edges of a cycle with everything seen of them. Each edge's `to` is the next edge's `from`.
class cycle_evidence {
public:
    using choice = std::vector<const observation*>;  // one per edge; empty: there is none

    explicit cycle_evidence(std::vector<const order_graph::edge*> edges)
        : edges_(std::move(edges)) {}

    /// Chooses one observation per edge, such that every wait may last. If possible the
    /// observations meet in the same instances and come from different tasks.
    ///
    /// @param bit  the mode in which the first edge closed the cycle
    choice choose(std::uint8_t bit) const {
        const auto closing = [&](std::size_t i, const observation& seen) {
            return i != 0 || edge_mask::of(seen.held.how, seen.wanted.how) == bit;
        };
        return best(closing);
    }

    /// As `choose`, for a cycle whose modes are known.
    choice choose_like(const std::vector<dependency>& cycle) const {
        const auto alike = [&](std::size_t i, const observation& seen) {
            return seen.held.how == cycle[i].held.how && seen.wanted.how == cycle[i].wanted.how;
        };
        return best(alike);
    }

    /// Returns the grade of the cycle (rule 26), from all observations and not only the chosen
    /// ones.
    grade judge() const {
        grade result;
        result.guard = guard();
        result.needs_writer = all([](const observation& seen) {
            return is_shared(seen.held.how) && is_shared(seen.wanted.how);
        });
        const std::uint32_t first = edges_.front()->seen.front().task;
        result.one_task =
            all([&](const observation& seen) { return !seen.primed && seen.task == first; });
        bool gave_up = overflowed();
        const auto any = [](std::size_t, const observation&) { return true; };
        result.class_only = search(any, {.instances = true}, gave_up).empty() && !gave_up;
        result.is_inferred = has_inferred_section();
        return result;
    }

private:
    struct wish {
        bool instances = false;
        bool tasks = false;
        bool seen = false;  // leaves out what was only stated
    };
    // Per search; a search that gives up counts as not found.
    static constexpr unsigned steps_max = 10'000;

    bool overflowed() const noexcept {
        for (const order_graph::edge* e : edges_)
            if (e->overflowed) return true;
        return false;
    }

    template <class Predicate>
    bool all(Predicate holds) const {
        for (const order_graph::edge* e : edges_)
            for (const observation& seen : e->seen)
                if (!holds(seen)) return false;
        return !overflowed();
    }

    /// Returns the name of the outermost lock instance that guards every observation of every edge.
    /// A guard excludes only waits for locks. A section that stands for a wait is entered by a task
    /// that holds the guard already, or waits for a task that needs the guard.
    std::string guard() const {
        if (overflowed() || has_section()) return {};
        guard_set common = edges_.front()->seen.front().guards;
        for (const order_graph::edge* e : edges_)
            for (const observation& seen : e->seen) common.keep_common(seen.guards);
        return common.size() == 0 ? std::string{}
                                  : lock_class::from_id(common.begin()->class_id).name();
    }

    bool has_section() const {
        return std::any_of(edges_.begin(), edges_.end(), [](const order_graph::edge* e) {
            const std::uint32_t held = e->seen.front().held.class_id;
            return lock_class::from_id(held).options().never_waits &&
                   !detail::is_context_class(held);
        });
    }

    bool has_inferred_section() const {
        return std::any_of(edges_.begin(), edges_.end(), [](const order_graph::edge* e) {
            return lock_class::from_id(e->seen.front().held.class_id).options().is_inferred;
        });
    }

    template <class Filter>
    choice best(Filter allowed) const {
        constexpr wish wishes[] = {{true, true, true},
                                   {true, false, true},
                                   {true, true, false},
                                   {true, false, false},
                                   {false, true, false}};
        for (const wish& wanted : wishes) {
            bool gave_up = false;
            choice found = search(allowed, wanted, gave_up);
            if (!found.empty()) return found;
        }
        return by_modes(allowed);
    }

    /// Chooses by modes alone, as the search for cycles did: arriving plainly is never worse.
    /// Always succeeds for a strong cycle, however much was seen.
    template <class Filter>
    choice by_modes(Filter allowed) const {
        choice chosen;
        for (std::size_t i = 0; i < edges_.size(); ++i) {
            const observation* found = nullptr;
            for (const observation& seen : edges_[i]->seen) {
                if (!allowed(i, seen) || !fits(chosen, seen, {})) continue;
                if (found == nullptr) found = &seen;
                if (seen.wanted.how == mode::recursive_shared) continue;
                found = &seen;
                break;
            }
            if (found == nullptr) return {};
            chosen.push_back(found);
        }
        return chosen;
    }

    /// Backtracks over the edges, and tries observations in the order in which they were seen. So
    /// the choice is the same in every run.
    template <class Filter>
    choice search(Filter allowed, wish wanted, bool& gave_up) const {
        choice chosen;
        std::vector<std::size_t> next(edges_.size(), 0);
        unsigned steps = 0;
        while (true) {
            const std::size_t i = chosen.size();
            if (i == edges_.size()) return chosen;
            const std::vector<observation>& seen = edges_[i]->seen;
            bool advanced = false;
            while (!advanced && next[i] < seen.size()) {
                const observation& candidate = seen[next[i]++];
                if (++steps > steps_max) {
                    gave_up = true;
                    return {};
                }
                advanced = allowed(i, candidate) && fits(chosen, candidate, wanted);
                if (advanced) chosen.push_back(&candidate);
            }
            if (advanced) continue;
            next[i] = 0;
            if (i == 0) return {};
            chosen.pop_back();
        }
    }

    bool fits(const choice& chosen, const observation& candidate, wish wanted) const {
        const auto joins = [&](const observation& before, const observation& after) {
            return may_wait(before.wanted.how, after.held.how) &&
                   (!wanted.instances || may_meet(before.wanted.instance, after.held.instance));
        };
        if (!chosen.empty() && !joins(*chosen.back(), candidate)) return false;
        if (wanted.seen && candidate.primed) return false;
        if (wanted.tasks)
            for (const observation* other : chosen)
                if (other->task == candidate.task && !other->primed && !candidate.primed)
                    return false;
        const bool is_last = chosen.size() + 1 == edges_.size();
        return !is_last || joins(candidate, chosen.empty() ? candidate : *chosen.front());
    }

    std::vector<const order_graph::edge*> edges_;
};

}  // namespace wedge
