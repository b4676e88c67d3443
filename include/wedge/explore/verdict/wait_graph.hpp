// Which task waits for which, when tasks are stuck.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "wedge/core/finding.hpp"
#include "wedge/core/hang.hpp"
#include "wedge/core/shortest_cycle.hpp"
#include "wedge/explore/engine/lock_table.hpp"
#include "wedge/order/describe.hpp"

namespace wedge {

/// A task that cannot go on, as the controller knows it.
struct stuck_task {
    const task* who = nullptr;
    bool is_done = false;
    bool waits_on_condition = false;  ///< not woken yet
    std::uint32_t processor = 0;      ///< of `processor_share`
    const task* behind = nullptr;     ///< the task that has the processor it waits for; null: none
};

namespace detail {

/// Tasks by their ordinals, with what each of them waits for.
class wait_graph {
public:
    wait_graph(std::span<const stuck_task> tasks, const lock_table& locks)
        : tasks_(tasks), locks_(locks) {}

    std::span<const stuck_task> tasks() const noexcept { return tasks_; }

    bool waits_for_lock(const stuck_task& each) const {
        const lock_identity* const lock = each.who->pending.lock;
        return !each.is_done && !each.waits_on_condition && each.behind == nullptr &&
               lock != nullptr && !is_counted(lock->kind());  // no task holds a counted lock
    }

    /// Returns the tasks that keep a task from its lock: incompatible holders, and tasks queued
    /// before it.
    std::vector<std::uint32_t> blockers(std::uint32_t waiting) const {
        std::vector<std::uint32_t> result;
        const stuck_task& self = tasks_[waiting];
        if (!waits_for_lock(self)) return result;
        const lock_state& state = locks_.at(self.who->pending.lock->instance()).state;
        const mode how = mode_wanted(self.who->pending);
        const auto conflicts = [&](const lock_state::use& other) {
            return !is_shared(how) || !is_shared(other.how);
        };
        for (const lock_state::use& holder : state.holders())
            if (conflicts(holder)) result.push_back(holder.task);
        std::uint32_t itself = waiting;  // of its waits, that of the topmost handler
        for (const lock_state::use& queued : state.queue())
            if (task_of(queued.task) == waiting) itself = std::max(itself, queued.task);
        for (const lock_state::use& queued : state.queue()) {
            if (queued.task == itself) break;
            if (conflicts(queued)) result.push_back(task_of(queued.task));
        }
        return result;
    }

    /// Returns the hold; null if the task does not hold the lock, for example if it only queues for
    /// it.
    const held_lock* hold_of(std::uint32_t at, const lock_identity& lock) const {
        for (const held_lock& held : tasks_[at].who->held)
            if (held.instance == lock.instance()) return &held;
        return nullptr;
    }

    const lock_identity* wanted_lock(std::uint32_t at) const {
        return tasks_[at].who->pending.lock;
    }

    /// Returns the shortest cycle; empty if there is none. Each task waits for a lock that the next
    /// one holds.
    std::vector<std::uint32_t> shortest_cycle() const {
        std::vector<std::vector<std::uint32_t>> blocked_by;
        for (std::uint32_t i = 0; i < tasks_.size(); ++i) blocked_by.push_back(blockers(i));
        std::vector<std::uint32_t> shortest;
        for (const std::size_t each : wedge::shortest_cycle(
                 blocked_by.size(), [&](std::size_t i) -> auto& { return blocked_by[i]; }))
            shortest.push_back(static_cast<std::uint32_t>(each));
        // A task that only queues between a waiter and the holder is no part of the cycle of locks.
        std::vector<std::uint32_t> holders;
        for (std::size_t i = 0; i < shortest.size(); ++i) {
            const std::uint32_t before = shortest[(i + shortest.size() - 1) % shortest.size()];
            if (hold_of(shortest[i], *wanted_lock(before)) != nullptr)
                holders.push_back(shortest[i]);
        }
        return holders;
    }

    task_report report(const stuck_task& each) const {
        task_report text;
        text.name = each.who->title();
        text.action =
            each.who->action != nullptr ? each.who->action : name_without_number(each.who->title());
        text.held = uses_of(each.who->held);
        const context_state& in = each.who->contexts;
        if (in.nmis != 0) text.contexts.push_back(class_of(context::nmi).id());
        if (in.hardirqs != 0) text.contexts.push_back(class_of(context::hardirq).id());
        if (in.softirqs != 0) text.contexts.push_back(class_of(context::softirq).id());
        if (each.is_done) return text;
        const operation& next = each.who->pending;
        text.where = next.where;
        if (each.behind != nullptr) {
            text.waits_for = "processor " + std::to_string(each.processor - 1);
            text.behind = each.behind->title();
            return text;
        }
        if (!may_wait(next.what) || is_internal(next)) return text;
        if (waits_for_lock(each))
            text.wanted = wanted_by(*each.who);
        else if (each.waits_on_condition) {
            text.waits_for = title_of(*next.condition);
            text.waits_on = next.condition->instance();
        } else if (next.lock != nullptr) {
            text.waits_for = title_of(*next.lock);
            text.waits_on = next.lock->instance();
        } else if (next.what == step::join) {
            text.waits_on = next.other + 1;
            text.joins = tasks_[next.other].who->title();
            text.waits_for = "the end of " + text.joins;
        }
        return text;
    }

    lock_use wanted_by(const task& who) const {
        const operation& next = who.pending;
        return use_of(acquisition{.class_id = next.lock->class_id(),
                                  .instance = next.lock->instance(),
                                  .how = mode_wanted(next),
                                  .where = next.where});
    }

private:
    /// Returns whether the step may wait. If not all tasks are stuck, a task may stand before a
    /// step that never waits.
    static bool may_wait(step next) noexcept {
        return next == step::acquire || next == step::try_acquire || next == step::wait ||
               next == step::join || next == step::access;
    }

    /// Returns whether the holder of the lock always goes on, so that the wait need not be
    /// reported.
    static bool is_internal(const operation& next) {
        return next.what != step::wait && next.lock != nullptr &&
               lock_class::from_id(next.lock->class_id()).options().is_internal;
    }
    static mode mode_wanted(const operation& next) noexcept {
        return next.what == step::acquire || next.what == step::wait ? next.how : mode::exclusive;
    }
    static std::string title_of(const lock_identity& object) {
        return name_of(object.kind()) + (" " + lock_class::from_id(object.class_id()).name());
    }

    std::span<const stuck_task> tasks_;
    const lock_table& locks_;
};

}  // namespace detail

}  // namespace wedge
