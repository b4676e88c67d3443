// Which of the tasks that can go on are enough to be tried in a state.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "wedge/explore/step_model.hpp"
#include "wedge/explore/subject.hpp"

namespace wedge {

/// Persistent sets (Godefroid, Partial-Order Methods for the Verification of Concurrent Systems,
/// 1996, chapter 4): whatever the tasks outside do, as long as they do it alone, commutes with
/// the next steps of those inside. Only for searches in which no run is endless.
class persistent_sets {
public:
    using tasks = std::span<const std::unique_ptr<controlled_task>>;

    /// A smallest one among those that are grown from one task each.
    ///
    /// @param enabled  who can go on, rising
    /// @return those of them that are in it, rising
    std::span<const std::uint32_t> of(tasks all, std::span<const std::uint32_t> enabled,
                                      const step_model& model, const subject& what) {
        for (const std::uint32_t each : enabled)
            if (opponents(*all[each], what) != 0 && model.is_unopposed(*all[each]) &&
                what.is_only_waited_for(*all[each]->self.pending.lock))
                return best_ = {each};
        best_.assign(enabled.begin(), enabled.end());
        if (enabled.size() < 2) return best_;
        see(all, enabled, model, what);
        for (const std::uint32_t each : enabled) {
            if (!grow(each)) continue;
            const auto n = static_cast<std::size_t>(
                std::count_if(enabled.begin(), enabled.end(),
                              [&](std::uint32_t task) { return states_[task].is_inside; }));
            if (n >= best_.size()) continue;
            best_.clear();
            for (const std::uint32_t task : enabled)
                if (states_[task].is_inside) best_.push_back(task);
        }
        return best_;
    }

private:
    struct state {
        std::uint64_t opponents = 0;   ///< of its next step; 0: not known
        std::uint64_t may_do = 0;      ///< by this and later steps
        std::uint32_t held_up_by = 0;  ///< a task without which it cannot go on; itself: none known
        bool is_enabled = false;
        bool is_done = false;
        bool is_inside = false;
    };

    /// Of a step on a lock alone.
    static std::uint64_t opponents(const controlled_task& who, const subject& what) {
        const operation& next = who.self.pending;
        const bool is_plain = next.what == step::acquire || next.what == step::try_acquire ||
                              next.what == step::release || next.what == step::downgrade;
        if (!is_plain || next.lock == nullptr || next.condition != nullptr ||
            next.ticket != nullptr)
            return 0;
        return what.opponents_of(next);
    }

    void see(tasks all, std::span<const std::uint32_t> enabled, const step_model& model,
             const subject& what) {
        states_.assign(all.size(), {});
        for (const std::uint32_t each : enabled) states_[each].is_enabled = true;
        for (std::uint32_t i = 0; i < all.size(); ++i) {
            state& here = states_[i];
            here.is_done = all[i]->is_done;
            if (here.is_done) continue;
            here.opponents = opponents(*all[i], what);
            here.may_do = what.may_do(i);
            here.held_up_by = i;
            if (here.is_enabled || here.opponents == 0) continue;
            here.held_up_by = model.who_keeps_out(*all[i]);
        }
    }

    /// False: the set cannot be told.
    bool grow(std::uint32_t from) {
        for (state& each : states_) each.is_inside = false;
        inside_ = {from};
        states_[from].is_inside = true;
        for (bool has_grown = true; has_grown;) {
            const std::size_t before = inside_.size();
            for (std::size_t i = 0; i < inside_.size(); ++i)
                if (!add_opponents(inside_[i])) return false;
            has_grown = inside_.size() != before;
        }
        return true;
    }

    bool add_opponents(std::uint32_t task) {
        const state& mine = states_[task];
        if (mine.opponents == 0) return false;
        if (!mine.is_enabled) {
            if (mine.held_up_by == task) return false;
            add(mine.held_up_by);
            return true;
        }
        for (std::uint32_t i = 0; i < states_.size(); ++i) {
            const state& other = states_[i];
            if (other.is_done || other.is_inside || (other.may_do & mine.opponents) == 0) continue;
            const bool waits_for_us = !other.is_enabled && states_[other.held_up_by].is_inside;
            if (!waits_for_us) add(i);
        }
        return true;
    }
    void add(std::uint32_t task) {
        if (states_[task].is_inside) return;
        states_[task].is_inside = true;
        inside_.push_back(task);
    }

    std::vector<state> states_;
    std::vector<std::uint32_t> inside_;
    std::vector<std::uint32_t> best_;
};

}  // namespace wedge
