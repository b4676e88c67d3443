// How the state of an execution is destroyed: alone, or by a last task under control.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "wedge/explore/engine/step_model.hpp"
#include "wedge/explore/search/strategy.hpp"
#include "wedge/explore/verdict/deadlock.hpp"

namespace wedge {

/// The end of an execution.
///
/// A thread that is not joined when all actions have ended belongs to the state, whose destructor
/// joins it. Then the check and the destructor form a last task, so that their schedules are
/// explored. Otherwise they run after all tasks. A destructor that may wait gets a stack of its
/// own, which can be left, since a loop around a wait may never end.
class last_task {
public:
    /// @param actions  the number of the subject's own tasks
    void begin_execution(std::uint32_t actions) noexcept {
        actions_ = actions_left_ = actions;
        number_ = no_task;
        may_wait_ = false;
        has_condition_ = false;
        begin_leaving();
    }

    void created(const lock_identity& object) {
        const bool is_condition = object.kind() == lock_kind::condition;
        may_wait_ = may_wait_ || is_condition || is_counted(object.kind());
        has_condition_ =
            has_condition_ ||
            (is_condition && !lock_class::from_id(object.class_id()).options().keeps_mutex);
    }
    /// Returns whether this execution has made a condition whose signal a task may miss.
    bool has_condition() const noexcept { return has_condition_; }

    /// Returns whether the task that ends is the last action, and leaves a thread to be joined.
    bool is_due(std::uint32_t ended, std::span<const std::unique_ptr<controlled_task>> all) {
        if (ended >= actions_ || --actions_left_ != 0) return false;
        for (const std::unique_ptr<controlled_task>& each : all.subspan(actions_))
            if (!each->is_done && !each->is_daemon) return true;
        return false;
    }
    void set_task(std::uint32_t number) noexcept { number_ = number; }
    bool is(std::uint32_t number) const noexcept { return number_ == number; }
    bool has_run() const noexcept { return number_ != no_task; }

    /// Returns whether the destructor needs a stack of its own.
    bool may_wait() const noexcept { return may_wait_; }

    /// Called when a task or the destructor is about to be left.
    void begin_leaving() noexcept { aside_ = 0; }
    /// Returns whether code that is left takes so many steps that it must wait in a loop.
    bool goes_round(step what) noexcept {
        aside_ += what == step::wait ? aside_max / 2 + 1 : 1;
        return aside_ > aside_max;
    }

    /// Returns whether a step of a destructor that runs alone never comes: no task is left to
    /// notify it.
    static bool never_comes(const operation& next) {
        if (next.timed) return false;
        if (next.what == step::wait) return true;
        return next.what == step::acquire && is_counted(next.lock->kind()) &&
               !next.lock->modelled().can_acquire(0, next.how);
    }
    /// Returns the deadlock of a destructor that waits when all tasks have ended.
    static finding describe(task& setup, const lock_table& locks) {
        std::string name = std::exchange(setup.name, "destructor");
        const stuck_task here{&setup, false, setup.pending.what == step::wait};
        finding found = describe_deadlock({&here, 1}, locks);
        setup.name = std::move(name);
        return found;
    }

private:
    static constexpr std::uint64_t aside_max = 100'000;  // steps

    std::uint32_t actions_ = 0;
    std::uint32_t actions_left_ = 0;
    std::uint32_t number_ = no_task;
    bool may_wait_ = false;
    bool has_condition_ = false;
    std::uint64_t aside_ = 0;
};

}  // namespace wedge
