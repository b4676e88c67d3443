// The state of an execution as one number, if the subject can tell its part of it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "wedge/core/hash.hpp"
#include "wedge/core/schedule.hpp"
#include "wedge/explore/engine/step_model.hpp"
#include "wedge/explore/engine/subject.hpp"

namespace wedge {

/// Hashes where all tasks and locks stand, and what the subject tells of the rest.
///
/// Locks are hashed with their holders and waiters, and the parts of tasks are added. So states
/// that differ by an exchange of equal tasks are one state. Of the ages of tickets only the order
/// counts, so that a retry leads to an equal state.
class whole_state {
public:
    using tasks = std::span<const std::unique_ptr<controlled_task>>;

    void begin_execution() noexcept {
        looked_at_ = 0;
        own_.clear();
    }

    /// @param taken  the decisions of this execution
    std::uint64_t of(tasks all, std::span<const decision> taken, const lock_table& locks,
                     const subject_facts& what) {
        if (!what.meets_in_locks_alone()) rank_ages(all, locks);
        group(all.size(), what);
        look_at_those_who_moved(all, taken, what);
        of_task_.resize(all.size());
        for (std::size_t i = 0; i < all.size(); ++i) {
            const controlled_task& each = *all[i];
            std::uint64_t mine = static_cast<std::uint64_t>(each.phase) |
                                 std::uint64_t{each.has_woken_by_itself} << 8;
            for (const interruption* k = each.below; k != nullptr; k = k->below)
                mine = combine(mine, static_cast<std::uint64_t>(k->phase));
            of_task_[i] = mine;
        }
        std::uint64_t sum = 0;
        locks.for_each([&](const lock_table::record& each) { sum += add_uses_of(each); });
        for (std::uint32_t i = 0; i < all.size(); ++i) {
            std::uint64_t& mine = of_task_[i];
            mine = combine(mine, own_[i] + of_group_[i]);
            sum += mine;
        }
        for (same_tasks& each : alike_) give_places(each);
        return combine(*what.state(), sum);
    }

    /// Returns the part of one task.
    ///
    /// @param rank_of  (age) -> its place among the ages of all tickets, from 1; 0 for 0
    template <class RankOf>
    static std::uint64_t of_itself(const task& self, const subject_facts& what, RankOf rank_of) {
        std::uint64_t hash = of_step(self.pending, self.stage, rank_of);
        hash = combine(hash, of_contexts(self.contexts) | std::uint64_t{self.scopes} << 24 |
                                 std::uint64_t{self.unbroken} << 32);
        std::uint64_t held = 0;
        for (const held_lock& each : self.held)
            held += combine(std::uint64_t{each.instance} << 32 | std::uint64_t{each.depth} << 8 |
                                static_cast<std::uint64_t>(each.how),
                            each.payload ^ rank_of(age_of(each)) << 48);
        return combine(combine(hash, held), what.state_of(self.ordinal));
    }

    /// Returns the place of each task in the last state. Equal tasks stand in a fixed order,
    /// whichever of them is where.
    std::span<const std::uint32_t> places() const noexcept { return place_; }

private:
    struct same_tasks {
        std::vector<std::uint32_t> all;
        std::vector<std::uint32_t> sorted;
    };

    /// Updates tasks that have moved. The part of a task changes only by its own steps, except for
    /// the ranks of tickets.
    void look_at_those_who_moved(tasks all, std::span<const decision> taken,
                                 const subject_facts& what) {
        const auto look = [&](std::uint32_t i) {
            const controlled_task& each = *all[i];
            if (each.is_done)
                own_[i] = 0;
            else if (each.known != nullptr)
                own_[i] = each.known->own;
            else
                own_[i] = with_interruptions(each, what);
        };
        if (own_.size() != all.size() || !ages_.empty() || had_ages_) {
            own_.resize(all.size());
            for (std::uint32_t i = 0; i < all.size(); ++i) look(i);
        } else {
            for (const decision& each : taken.subspan(looked_at_))
                if (each.what == decision::sort::run) {
                    look(each.value);
                    const std::uint32_t victim = all[each.value]->victim;
                    if (victim != controlled_task::nobody) look(victim);
                }
        }
        had_ages_ = !ages_.empty();
        looked_at_ = taken.size();
    }

    /// Beside what the task is now, what it was about to do below each handler. How far that has
    /// come is no part of it.
    std::uint64_t with_interruptions(const controlled_task& who, const subject_facts& what) const {
        const auto rank = [&](std::uint64_t age) { return rank_of(age); };
        std::uint64_t hash = of_itself(who.self, what, rank);
        for (const interruption* each = who.below; each != nullptr; each = each->below)
            hash = combine(combine(hash, of_step(each->pending, each->stage, rank)),
                           of_contexts(each->contexts) | std::uint64_t{each->is_idle} << 32);
        return hash;
    }

    template <class RankOf>
    static std::uint64_t of_step(const operation& next, std::uint64_t stage, RankOf rank_of) {
        std::uint64_t hash =
            combine(static_cast<std::uint64_t>(next.what) |
                        static_cast<std::uint64_t>(next.how) << 8 | std::uint64_t{next.timed} << 16,
                    std::uint64_t{instance_of(next.lock)} << 32 | instance_of(next.condition));
        hash = combine(hash, (std::uint64_t{next.other} << 32 | next.where.line) + stage);
        return next.ticket == nullptr ? hash : combine(hash, rank_of(next.ticket->age));
    }
    static std::uint64_t of_contexts(const context_state& in) noexcept {
        return std::uint64_t{in.hardirqs} | std::uint64_t{in.softirqs} << 8 |
               std::uint64_t{in.irqs_are_off} << 16 | std::uint64_t{in.bh_depth} << 17 |
               std::uint64_t{in.preempt_depth} << 21 | std::uint64_t{in.nmis} << 25;
    }

    /// Returns the age of a ticket that is held.
    static std::uint64_t age_of(const held_lock& hold) noexcept {
        const bool is_ticket = hold.lock != nullptr && hold.lock->kind() == lock_kind::map;
        return is_ticket ? hold.lock->rank() : 0;
    }
    static std::uint32_t instance_of(const lock_identity* lock) noexcept {
        return lock == nullptr ? 0 : lock->instance();
    }

    /// Gives each holder and waiter its part of a lock's state.
    ///
    /// @return the part that belongs to no task. Locks come in no fixed order, so it must be added
    std::uint64_t add_uses_of(const lock_table::record& each) {
        const lock_state& lock = each.state;
        const std::uint64_t which = std::uint64_t{each.instance} << 32 | each.class_id;
        for (const lock_state::use& holder : lock.holders()) add(holder, which, 0);
        std::uint64_t place = 0;
        for (const lock_state::use& waiter : lock.queue()) add(waiter, which, ++place);
        return lock.count() == 0 ? 0 : combine(which, lock.count());
    }
    void add(const lock_state::use& use, std::uint64_t which, std::uint64_t place) {
        which =
            combine(which, std::uint64_t{depth_of(use.task)} << 56 | place << 32 |
                               std::uint64_t{use.depth} << 8 | static_cast<std::uint64_t>(use.how));
        of_task_[task_of(use.task)] +=
            combine(which, rank_of(use.age) << 2 | std::uint64_t{use.may_wound} << 1 |
                               std::uint64_t{use.is_wounded});
    }

    /// Groups equal tasks. The subject is asked once per number of tasks.
    void group(std::size_t n, const subject_facts& what) {
        if (of_group_.size() == n) return;
        of_group_.clear();
        place_.clear();
        alike_.clear();
        for (std::uint32_t i = 0; i < n; ++i) {
            const std::uint32_t first = what.same_as(i);
            of_group_.push_back(mix(first + 1));
            place_.push_back(i);
            if (first == i)
                alike_.push_back({{i}, {}});
            else
                std::find_if(alike_.begin(), alike_.end(), [&](const same_tasks& each) {
                    return each.all.front() == first;
                })->all.push_back(i);
        }
        std::erase_if(alike_, [](const same_tasks& each) { return each.all.size() < 2; });
        for (same_tasks& each : alike_) each.sorted = each.all;
    }
    void give_places(same_tasks& each) {
        std::sort(each.sorted.begin(), each.sorted.end(), [&](std::uint32_t a, std::uint32_t b) {
            return of_task_[a] != of_task_[b] ? of_task_[a] < of_task_[b] : a < b;
        });
        for (std::size_t i = 0; i < each.all.size(); ++i) place_[each.sorted[i]] = each.all[i];
    }

    void rank_ages(tasks all, const lock_table& locks) {
        ages_.clear();
        bool has_tickets = false;
        locks.for_each([&](const lock_table::record& each) {
            has_tickets = has_tickets || each.state.kind() == lock_kind::ww_mutex;
        });
        if (!has_tickets) return;
        const auto add = [&](std::uint64_t age) {
            if (age != 0) ages_.push_back(age);
        };
        for (const std::unique_ptr<controlled_task>& each : all) {
            if (each->is_done) continue;
            if (each->self.pending.ticket != nullptr) add(each->self.pending.ticket->age);
            for (const interruption* i = each->below; i != nullptr; i = i->below)
                if (i->pending.ticket != nullptr) add(i->pending.ticket->age);
            for (const held_lock& hold : each->self.held) add(age_of(hold));
        }
        locks.for_each([&](const lock_table::record& each) {
            for (const lock_state::use& use : each.state.holders()) add(use.age);
            for (const lock_state::use& use : each.state.queue()) add(use.age);
        });
        std::sort(ages_.begin(), ages_.end());
        ages_.erase(std::unique(ages_.begin(), ages_.end()), ages_.end());
    }
    std::uint64_t rank_of(std::uint64_t age) const {
        if (age == 0) return 0;
        const auto found = std::lower_bound(ages_.begin(), ages_.end(), age);
        return static_cast<std::uint64_t>(found - ages_.begin()) + 1;
    }

    std::vector<std::uint64_t> ages_;
    bool had_ages_ = false;           // at the last state
    std::size_t looked_at_ = 0;       // the number of decisions
    std::vector<std::uint64_t> own_;  // by task: its own part; 0 if it has ended
    std::vector<std::uint64_t> of_task_;
    std::vector<std::uint64_t> of_group_;  // by task: a hash of the first of its equals
    std::vector<std::uint32_t> place_;
    std::vector<same_tasks> alike_;
};

}  // namespace wedge
