// What each visible step does to the modelled locks, and when it can be taken.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "wedge/explore/lock_table.hpp"
#include "wedge/task/task.hpp"

namespace wedge {

/// How far a pending step has come.
enum class wait_phase : std::uint8_t {
    fresh,     ///< not tried yet
    queued,    ///< in the lock's queue
    sleeping,  ///< on the condition, not notified
    woken,     ///< notified; wants its lock again
};

/// A task of an execution, with where it stands.
struct controlled_task {
    task self;
    task_body body;
    wait_phase phase = wait_phase::fresh;
    bool is_starting = false;  ///< has not published its first step
    bool is_done = false;
    std::uint32_t starter = 0;  ///< the stack that goes on after the first step is published

    std::uint32_t stack() const noexcept { return self.ordinal + 1; }
};

/// The meaning of the steps: pure bookkeeping, no scheduling.
class step_model {
public:
    using all_tasks = std::vector<std::unique_ptr<controlled_task>>;

    explicit step_model(const all_tasks& tasks) : tasks_(tasks) {}

    lock_table& locks() noexcept { return locks_; }

    bool is_enabled(const controlled_task& who) const {
        if (who.is_done || who.is_starting) return false;
        const operation& next = who.self.pending;
        switch (next.what) {
            case step::acquire: {
                const lock_state& state = locks_.at(next.lock->instance()).state;
                // A blocked acquire of a lock with a queue joins it, a timed one may give up.
                if (next.timed || (state.has_queue() && who.phase == wait_phase::fresh))
                    return true;
                return state.can_acquire(who.self.ordinal, next.how);
            }
            case step::wait:
                if (who.phase == wait_phase::fresh) return true;
                if (who.phase == wait_phase::sleeping && !next.timed) return false;
                return locks_.at(next.lock->instance())
                    .state.can_acquire(who.self.ordinal, mode::exclusive);
            case step::join: return tasks_[next.other]->is_done;
            default: return true;
        }
    }

    /// Takes an enabled step.
    ///
    /// @param choose  (n) -> which of n waiters is notified
    /// @return the step's result; nothing: the task waits on
    template <class Choose>
    std::optional<bool> take(controlled_task& who, Choose choose) {
        const operation& next = who.self.pending;
        const std::uint32_t self = who.self.ordinal;
        switch (next.what) {
            case step::acquire: return acquire(who, next);
            case step::try_acquire: {
                lock_state& state = locks_[*next.lock].state;
                if (!state.can_acquire(self, next.how)) return false;
                state.acquire(self, next.how);
                return true;
            }
            case step::release: locks_[*next.lock].state.release(self); return true;
            case step::downgrade: locks_[*next.lock].state.downgrade(self); return true;
            case step::wait: return wait(who, next);
            case step::notify_one: wake_one(*next.condition, choose); return true;
            case step::notify_all:
                while (!locks_[*next.condition].state.queue().empty())
                    wake_one(*next.condition, [](std::uint32_t) { return 0U; });
                return true;
            default: return true;
        }
    }

private:
    std::optional<bool> acquire(controlled_task& who, const operation& next) {
        lock_state& state = locks_[*next.lock].state;
        const std::uint32_t self = who.self.ordinal;
        if (state.can_acquire(self, next.how)) {
            state.acquire(self, next.how);
            return true;
        }
        if (state.has_queue() && who.phase == wait_phase::fresh) {
            state.enqueue(self, next.how);
            who.phase = wait_phase::queued;
            return std::nullopt;
        }
        state.forget(self);  // only a timed wait is scheduled without its lock: it gives up
        return false;
    }

    std::optional<bool> wait(controlled_task& who, const operation& next) {
        lock_state& lock = locks_[*next.lock].state;
        lock_state& waiting = locks_[*next.condition].state;
        const std::uint32_t self = who.self.ordinal;
        if (who.phase == wait_phase::fresh) {
            lock.release(self);
            waiting.enqueue(self, mode::exclusive);
            who.phase = wait_phase::sleeping;
            return std::nullopt;
        }
        lock.acquire(self, mode::exclusive);
        if (who.phase == wait_phase::woken) return true;
        waiting.forget(self);
        return false;
    }

    template <class Choose>
    void wake_one(const lock_identity& where, Choose choose) {
        lock_state& waiting = locks_[where].state;
        if (waiting.queue().empty()) return;
        const auto n = static_cast<std::uint32_t>(waiting.queue().size());
        const std::uint32_t woken = waiting.queue()[n == 1 ? 0 : choose(n)].task;
        waiting.forget(woken);
        tasks_[woken]->phase = wait_phase::woken;
    }

    const all_tasks& tasks_;
    lock_table locks_;
};

}  // namespace wedge
