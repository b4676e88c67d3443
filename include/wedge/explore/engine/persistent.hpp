// Which of the enabled tasks suffice to be tried in a state.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "wedge/explore/engine/step_model.hpp"
#include "wedge/explore/engine/subject.hpp"
#include "wedge/explore/engine/task_set.hpp"
#include "wedge/explore/search/strategy.hpp"

namespace wedge {

/// Persistent sets (Godefroid, Partial-Order Methods for the Verification of Concurrent Systems,
/// 1996, chapter 4): all steps that the tasks outside of the set can take alone commute with the
/// next steps of the tasks inside. Only for searches without endless runs.
class persistent_sets {
public:
    using tasks = std::span<const std::unique_ptr<controlled_task>>;

    /// Returns the opponents of a step, now and while tasks queue for its lock.
    static step_opponents opponents_of(const operation& next, const subject_facts& what) {
        const bool is_plain = next.what == step::acquire || next.what == step::try_acquire ||
                              next.what == step::release || next.what == step::downgrade;
        if (!is_plain || next.lock == nullptr || next.condition != nullptr ||
            next.ticket != nullptr)
            return {};
        const std::uint64_t alone = what.opponents_of(next);
        if (next.what == step::release || !is_shared(next.how)) return {alone, alone};
        operation as_writer = next;  // readers of a lock with waiters do not commute
        as_writer.how = mode::exclusive;
        return {alone, what.opponents_of(as_writer)};
    }

    /// Returns an enabled task whose next step is in a section of wedge's own mutex; `no_task` if
    /// no task has such a step.
    static std::uint32_t within_section(tasks all, std::span<const std::uint32_t> enabled) {
        for (const std::uint32_t each : enabled)
            if (is_within_own_section(*all[each])) return each;
        return no_task;
    }

    /// Returns an enabled task whose next step alone is a persistent set, and only spares other
    /// tasks a wait; `no_task` if there is none.
    std::uint32_t sufficient(tasks all, std::span<const std::uint32_t> enabled,
                             const step_model& model, const subject_facts& what) const {
        if (const std::uint32_t inside = within_section(all, enabled); inside != no_task)
            return inside;
        for (const std::uint32_t each : enabled)
            if (model.is_unopposed(*all[each]) &&
                what.is_only_waited_for(*all[each]->self.pending.lock) &&
                opponents(*all[each], what) != 0)
                return each;
        return no_task;
    }

    /// Returns a smallest one of the sets that are grown from one task each.
    ///
    /// @param enabled  the tasks that can go on; if some task fits no set, all of them are returned
    task_set of(tasks all, std::span<const std::uint32_t> enabled, const step_model& model,
                const subject_facts& what) {
        task_set best;
        for (const std::uint32_t each : enabled) best.add(each);
        if (best.size() < 2 || all.size() > task_set::capacity) return best;
        see(all, best, model, what);
        enabled_.for_each([&](std::uint32_t each) {
            const task_set grown = grow(each, best.size());
            if (!grown.is_empty() && grown.size() < best.size()) best = grown;
        });
        return best;
    }

private:
    struct state {
        std::uint64_t opponents = 0;  ///< of its next step; 0: unknown
        std::uint64_t may_do = 0;     ///< by its next step and later ones
        /// A task without which it cannot go on; itself: none is known.
        std::uint32_t held_up_by = 0;
    };

    /// Returns whether the next step is within or at the end of a section of wedge's own mutex.
    /// Other tasks tell nothing of the section before it ends: what it touches belongs to the
    /// mutex, it waits for nothing but a condition of the mutex, and no handler comes.
    static bool is_within_own_section(const controlled_task& who) {
        const task& self = who.self;
        // A task that was woken takes the mutex again, and competes for it.
        if (self.unbroken == 0 || who.phase != wait_phase::fresh) return false;
        const auto is_own = [](std::uint32_t class_id) {
            return lock_class::from_id(class_id).options().is_internal;
        };
        const operation& next = self.pending;
        switch (next.what) {
            case step::release:
            case step::wait: return next.lock != nullptr && is_own(next.lock->class_id());
            case step::notify_one:
            case step::notify_all:
                return lock_class::from_id(next.condition->class_id()).options().keeps_mutex &&
                       std::ranges::any_of(
                           self.held, [&](const held_lock& hold) { return is_own(hold.class_id); });
            default: return false;
        }
    }

    /// Returns the opponents of a task's next step, as the lock is now.
    static std::uint64_t opponents(const controlled_task& who, const subject_facts& what) {
        const operation& next = who.self.pending;
        const step_opponents all =
            who.known != nullptr ? who.known->opponents : opponents_of(next, what);
        const bool has_waiters =
            all.among_waiters != all.alone && !next.lock->modelled().queue().empty();
        return has_waiters ? all.among_waiters : all.alone;
    }

    void see(tasks all, task_set enabled, const step_model& model, const subject_facts& what) {
        enabled_ = enabled;
        unfinished_ = {};
        states_.resize(all.size());
        for (std::uint32_t i = 0; i < all.size(); ++i) {
            if (all[i]->is_done) continue;
            unfinished_.add(i);
            state& here = states_[i];
            here.opponents = opponents(*all[i], what);
            here.may_do = all[i]->known != nullptr ? all[i]->known->may_do : what.may_do(i);
            const bool waits = !enabled.has(i) && here.opponents != 0;
            here.held_up_by = waits ? model.who_keeps_out(*all[i]) : i;
        }
    }

    /// Grows the set from a task and returns its enabled tasks; empty if that is unknown, or not
    /// smaller.
    task_set grow(std::uint32_t from, std::uint32_t most) const {
        task_set inside;
        inside.add(from);
        for (task_set before; before != inside;) {
            before = inside;
            bool is_known = true;
            before.for_each(
                [&](std::uint32_t each) { is_known = is_known && add_opponents(each, inside); });
            if (!is_known || inside.common(enabled_).size() >= most) return {};
        }
        return inside.common(enabled_);
    }

    bool add_opponents(std::uint32_t task, task_set& inside) const {
        const state& mine = states_[task];
        if (mine.opponents == 0) return false;
        if (!enabled_.has(task)) {
            inside.add(mine.held_up_by);
            return mine.held_up_by != task;
        }
        unfinished_.without(inside).for_each([&](std::uint32_t i) {
            const state& other = states_[i];
            if ((other.may_do & mine.opponents) == 0) return;
            const bool waits_for_us = !enabled_.has(i) && inside.has(other.held_up_by);
            if (!waits_for_us) inside.add(i);
        });
        return true;
    }

    std::vector<state> states_;  // of those that have not ended
    task_set enabled_;
    task_set unfinished_;
};

}  // namespace wedge
