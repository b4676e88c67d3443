// The locks of an execution: their ordinals and their models.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "wedge/core/check.hpp"
#include "wedge/core/lock_state.hpp"

namespace wedge {

/// A lock's ordinal is equal in every execution and under every schedule: locks are counted by
/// their maker (the workload's constructor, or a task), in the order of creation. Locks made
/// outside are counted as they are met in the first execution, and keep that ordinal.
class lock_table {
public:
    struct record {
        lock_state state;
        std::uint32_t class_id = 0;
        std::uint32_t instance = 0;
        std::uint32_t initial_count = 0;
    };

    static constexpr std::uint32_t made_by_setup = 0;
    static constexpr std::uint32_t made_by_task(std::uint32_t ordinal) { return ordinal + 2; }
    static constexpr unsigned maker_shift = 20;
    static constexpr std::uint32_t locks_max = 1U << maker_shift;  // per maker and execution
    /// The ordinal of the first lock that task 0 makes. Locks of the set-up and those made outside
    /// have smaller ones.
    static constexpr std::uint32_t first_made_by_task = (std::uint32_t{2} << maker_shift) + 1;

    /// Sets the policy of every readers-writer lock of this execution, instead of the policy of its
    /// kind. Call it before such a lock is touched.
    void set_policy(rw_policy policy) noexcept {
        policy_ = policy;
        for (maker& each : makers_)
            for (const auto& made : each.records) made->state.set_policy(policy);
    }

    ~lock_table() {
        // They live on outside, where ordinals of this table would clash with native ones.
        for (const auto& [lock, met] : outside_) lock->adopt(0, met.native);
    }

    void begin_execution() noexcept {
        policy_.reset();
        for (std::size_t i = 0; i < makers_.size(); ++i) {
            if (i == made_outside) continue;
            makers_[i].used = 0;
        }
        if (makers_.size() > made_outside)
            for (const auto& each : makers_[made_outside].records) reset(*each, each->state.kind());
    }

    /// Makes the locks of the last execution as they were when they were made.
    void begin_again() noexcept {
        policy_.reset();
        for_each([&](record& each) { reset(each, each.state.kind()); });
    }

    /// The locks of an execution at one moment.
    struct moment {
        std::vector<lock_state> states;
        std::optional<rw_policy> policy;
    };
    void save(moment& to) const {
        std::size_t i = 0;
        for_each([&](const record& each) {
            if (i == to.states.size()) to.states.emplace_back();
            to.states[i++] = each.state;
        });
        to.policy = policy_;
    }
    /// Only in the execution, or in a repetition of it.
    void restore(const moment& from) {
        std::size_t i = 0;
        for_each([&](record& each) { each.state = from.states[i++]; });
        policy_ = from.policy;
    }

    void created(lock_identity& lock, std::uint32_t made_by, std::uint64_t execution) {
        add(lock, made_by, execution);
    }
    void met(lock_identity& lock, std::uint64_t execution) {
        const auto known = outside_.find(&lock);
        if (known != outside_.end()) {
            const std::uint32_t ordinal = known->second.ordinal;
            return lock.adopt(execution, ordinal, &at(ordinal).state);
        }
        const std::uint32_t native = lock.instance();
        add(lock, made_outside, execution);
        outside_.emplace(&lock, origin{native, lock.instance()});
    }
    void destroyed(lock_identity& lock) noexcept {
        if (!outside_.empty()) outside_.erase(&lock);
    }

    static constexpr std::uint32_t maker_of(std::uint32_t instance) noexcept {
        return (instance - 1) >> maker_shift;
    }
    /// Returns the number of the lock among those of its maker, from 0.
    static constexpr std::uint32_t number_of(std::uint32_t instance) noexcept {
        return (instance - 1) & (locks_max - 1);
    }

    record& at(std::uint32_t instance) const noexcept {
        return *makers_[maker_of(instance)].records[number_of(instance)];
    }

    /// Visits all locks that exist in this execution, and the records of locks that existed.
    template <class Visit>
    void for_each(Visit visit) const {
        for (std::size_t i = 0; i < makers_.size(); ++i)
            for (std::size_t k = 0; k < makers_[i].used; ++k) visit(*makers_[i].records[k]);
    }

    bool is_empty() const noexcept {
        for (const maker& each : makers_)
            if (each.used != 0) return false;
        return true;
    }

private:
    static constexpr std::uint32_t made_outside = 1;

    struct maker {
        // Kept for later executions, for their memory.
        std::vector<std::unique_ptr<record>> records;
        std::uint32_t used = 0;
    };
    struct origin {
        std::uint32_t native;
        std::uint32_t ordinal;
    };

    WEDGE_UNSEEN void add(lock_identity& lock, std::uint32_t by, std::uint64_t execution) {
        if (makers_.size() <= by || makers_[by].used == makers_[by].records.size()) [[unlikely]]
            return add_after_growth(lock, by, execution);
        maker& made = makers_[by];
        record& fresh = *made.records[made.used];
        lock.adopt(execution, ((by << maker_shift) | made.used++) + 1, &fresh.state);
        fresh.class_id = lock.class_id();
        fresh.instance = lock.instance();
        fresh.initial_count = lock.initial_count();
        reset(fresh, lock.kind());
    }

    [[gnu::noinline]] void add_after_growth(lock_identity& lock, std::uint32_t by,
                                            std::uint64_t execution) {
        if (makers_.size() <= by) makers_.resize(by + 1);
        WEDGE_CHECK(makers_[by].used < locks_max);
        makers_[by].records.push_back(std::make_unique<record>());
        add(lock, by, execution);
    }

    void reset(record& made, lock_kind kind) noexcept {
        made.state.reset(kind, made.initial_count);
        if (policy_) made.state.set_policy(*policy_);
    }

    std::optional<rw_policy> policy_;
    std::vector<maker> makers_;
    std::unordered_map<lock_identity*, origin> outside_;
};

}  // namespace wedge
