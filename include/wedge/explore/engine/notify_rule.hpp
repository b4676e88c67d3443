// Notifications that a waiter can miss, because the notifier does not take the waiters' mutex.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/lock_class.hpp"
#include "wedge/core/task.hpp"
#include "wedge/explore/engine/step_trace.hpp"

namespace wedge {

/// Looks for a task that notifies a condition and has not held the waiters' mutex since its last
/// notification. What the task stores before may come between a waiter's test and its wait, so that
/// the waiter misses it. The store is no step, so the engine tries that order only if the store
/// comes at the beginning of a task. So if the rule is broken, nothing is proved. It is no finding,
/// since a task may notify and store nothing.
///
/// If no task was seen to wait for a condition, its mutex is unknown, and any lock counts.
class notify_rule {
public:
    /// Called when a task is about to wait or to notify.
    ///
    /// @param before  the points of this execution
    void look_at(const task& who, const trace_point* before, std::size_t count) {
        const operation& next = who.pending;
        if (next.what == step::wait)
            see_wait(next);
        else if (next.what == step::notify_one || next.what == step::notify_all)
            see_notify(who, before, count);
    }

    /// Returns the task that breaks the rule, and the place; empty if none does.
    std::string broken() const {
        for (const notification& each : notifications_) {
            bool has_waiters = false;
            for (const waiting& other : waits_) {
                if (other.condition != each.condition) continue;
                has_waiters = true;
                if (!has(each.held, other.lock))
                    return text_of(each) + " without the mutex of who waits at " +
                           to_string(other.where) + consequence;
            }
            if (!has_waiters && each.held.empty())
                return text_of(each) + " without a lock, and nobody was seen to wait" + consequence;
        }
        return {};
    }

private:
    static constexpr const char* consequence =
        "; a waiter may miss what was stored before, as the store is no step";

    struct waiting {
        std::uint32_t condition;
        std::uint32_t lock;
        site where;
    };
    struct notification {
        std::uint32_t condition;
        std::vector<std::uint32_t> held;  // since the task's last notification, by ordinal
        site where;
        std::string task;
        std::string name;  // of the condition
    };

    static bool has(const std::vector<std::uint32_t>& locks, std::uint32_t lock) {
        return std::find(locks.begin(), locks.end(), lock) != locks.end();
    }
    static std::string text_of(const notification& each) {
        return each.task + " notifies " + each.name + " at " + to_string(each.where);
    }

    void see_wait(const operation& next) {
        const std::uint32_t changed = next.condition->instance();
        const std::uint32_t lock = next.lock->instance();
        for (const waiting& each : waits_)
            if (each.condition == changed && each.lock == lock) return;
        waits_.push_back({changed, lock, next.where});
    }

    void see_notify(const task& who, const trace_point* before, std::size_t count) {
        const operation& next = who.pending;
        const std::uint32_t changed = next.condition->instance();
        std::vector<std::uint32_t> held;
        std::vector<std::uint32_t> taken;  // locks of wedge itself are not in `who.held`
        for (std::size_t i = 0; i < count; ++i) {
            const trace_point& point = before[i];
            if (point.task != who.ordinal || point.what != trace_point::sort::step) continue;
            const bool is_notify = point.step == step::notify_one || point.step == step::notify_all;
            if (is_notify && point.condition == changed) held.clear();
            if (point.lock == 0) continue;
            if (point.step == step::acquire && !point.timed) taken.push_back(point.lock);
            if (point.step == step::release) std::erase(taken, point.lock);
            if (point.step == step::release || point.step == step::wait) held.push_back(point.lock);
        }
        held.insert(held.end(), taken.begin(), taken.end());
        for (const held_lock& each : who.held) held.push_back(each.instance);
        std::sort(held.begin(), held.end());
        held.erase(std::unique(held.begin(), held.end()), held.end());
        for (const notification& each : notifications_)
            if (each.condition == changed && each.where.line == next.where.line &&
                each.held == held)
                return;
        if (notifications_.size() == kept_max) return;
        notifications_.push_back({changed, std::move(held), next.where, who.title(),
                                  lock_class::from_id(next.condition->class_id()).name()});
    }

    static constexpr std::size_t kept_max = 1000;

    std::vector<waiting> waits_;
    std::vector<notification> notifications_;
};

}  // namespace wedge
