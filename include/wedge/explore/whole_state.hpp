// The state of an execution in one number, where the subject can tell its part of it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "wedge/base/hash.hpp"
#include "wedge/explore/step_model.hpp"

namespace wedge {

/// Hashes where all tasks and locks stand; what else there is, the subject knows.
///
/// Of the ages of tickets only the order counts, so that a retry comes back to the same state.
class whole_state {
public:
    using tasks = std::span<const std::unique_ptr<controlled_task>>;

    std::uint64_t of(tasks all, const lock_table& locks, std::uint64_t rest) {
        rank_ages(all, locks);
        std::uint64_t hash = combine(rest, all.size());
        for (const std::unique_ptr<controlled_task>& each : all)
            hash = combine(hash, each->is_done ? 0 : of(*each));
        // Locks come in no fixed order, so their hashes are added up.
        std::uint64_t sum = 0;
        locks.for_each([&](const lock_table::record& each) {
            sum += of(each.state, combine(each.instance, each.class_id));
        });
        return combine(hash, sum);
    }

private:
    std::uint64_t of(const controlled_task& who) const {
        const task& self = who.self;
        const operation& next = self.pending;
        std::uint64_t hash = combine(static_cast<std::uint64_t>(next.what) |
                                         static_cast<std::uint64_t>(next.how) << 8 |
                                         std::uint64_t{next.timed} << 16 |
                                         static_cast<std::uint64_t>(who.phase) << 24 |
                                         std::uint64_t{who.has_woken_by_itself} << 32,
                                     std::uint64_t{instance_of(next.lock)} << 32 |
                                         instance_of(next.condition));
        hash = combine(hash, std::uint64_t{next.other} << 32 | next.where.line);
        const context_state& in = self.contexts;
        hash = combine(hash, std::uint64_t{in.hardirqs} | std::uint64_t{in.softirqs} << 8 |
                                 std::uint64_t{in.irqs_are_off} << 16 |
                                 std::uint64_t{in.bh_is_off} << 17 |
                                 std::uint64_t{self.scopes} << 24);
        std::uint64_t held = 0;
        for (const held_lock& each : self.held)
            held += combine(std::uint64_t{each.instance} << 32 | std::uint64_t{each.depth} << 8 |
                                static_cast<std::uint64_t>(each.how),
                            each.payload ^ rank_of(age_of(each)) << 48);
        if (next.ticket != nullptr) hash = combine(hash, rank_of(next.ticket->age));
        return combine(hash, held);
    }
    /// Of a ticket that is held.
    static std::uint64_t age_of(const held_lock& hold) noexcept {
        const bool is_ticket = hold.lock != nullptr && hold.lock->kind() == lock_kind::map;
        return is_ticket ? hold.lock->rank() : 0;
    }
    static std::uint32_t instance_of(const lock_identity* lock) noexcept {
        return lock == nullptr ? 0 : lock->instance();
    }

    std::uint64_t of(const lock_state& lock, std::uint64_t hash) const {
        std::uint64_t holders = 0;
        for (const lock_state::use& each : lock.holders()) holders += of(each);
        hash = combine(combine(hash, lock.count()), holders);
        for (const lock_state::use& each : lock.queue()) hash = combine(hash, of(each));
        return hash;
    }
    std::uint64_t of(const lock_state::use& use) const {
        return combine(std::uint64_t{use.task} << 32 | std::uint64_t{use.depth} << 8 |
                           static_cast<std::uint64_t>(use.how),
                       rank_of(use.age) << 2 | std::uint64_t{use.may_wound} << 1 |
                           std::uint64_t{use.is_wounded});
    }

    void rank_ages(tasks all, const lock_table& locks) {
        ages_.clear();
        const auto add = [&](std::uint64_t age) {
            if (age != 0) ages_.push_back(age);
        };
        for (const std::unique_ptr<controlled_task>& each : all) {
            if (each->is_done) continue;
            if (each->self.pending.ticket != nullptr) add(each->self.pending.ticket->age);
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
};

}  // namespace wedge
