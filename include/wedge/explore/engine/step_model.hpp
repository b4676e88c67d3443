// What each visible step does to the models of locks, and when it can be taken.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "wedge/core/schedule.hpp"
#include "wedge/explore/engine/lock_table.hpp"
#include "wedge/explore/engine/processors.hpp"

namespace wedge {

/// Returns whether `abandoned` may leave the step. Not if destructors take such steps.
constexpr bool may_throw(const operation& next) noexcept {
    return next.what != step::release && next.what != step::access &&
           next.what != step::downgrade && next.what != step::notify_one &&
           next.what != step::notify_all;
}

/// The result of a turn.
enum class turn : std::uint8_t {
    failed,  ///< the step is taken, but the try failed or the wait gave up
    taken,
    waits,  ///< the step needs another turn
};

/// The meaning of the steps. It only keeps the books, and schedules nothing.
class step_model {
public:
    using all_tasks = std::vector<std::unique_ptr<controlled_task>>;

    step_model(const all_tasks& tasks, model_options options) : tasks_(tasks), options_(options) {}

    lock_table& locks() noexcept { return locks_; }
    const all_tasks& tasks() const noexcept { return tasks_; }
    std::uint32_t class_of(std::uint32_t lock) const { return locks_.at(lock).class_id; }

    /// Called once if some tasks share a processor.
    void share_processors() noexcept { shares_processors_ = true; }

    /// Sets the options, from the next execution on.
    void leave_open(model_options options) noexcept { options_ = options; }

    void begin_execution() noexcept {
        locks_.begin_execution();
        has_policy_ = !options_.all_policies;
    }

    /// Makes the locks once more, as they were when they were made.
    void begin_again() noexcept {
        locks_.begin_again();
        has_policy_ = !options_.all_policies;
    }

    /// The models of an execution at one moment.
    struct moment {
        lock_table::moment locks;
        bool has_policy = true;
    };
    void save(moment& to) const {
        locks_.save(to.locks);
        to.has_policy = has_policy_;
    }
    void restore(const moment& from) {
        locks_.restore(from.locks);
        has_policy_ = from.has_policy;
    }

    WEDGE_UNSEEN bool is_enabled(const controlled_task& who) const {
        return is_ready(who) && may_run(who);
    }
    /// Returns the task that has the processor, if nothing else keeps this one from its step; else
    /// null.
    const task* waits_for_processor_of(const controlled_task& who) const {
        return shares_processors_ && is_ready(who) ? keeper_of_processor(who) : nullptr;
    }

    /// Returns whether nothing is lost if the task never goes on.
    static bool is_idle(const controlled_task& who) noexcept {
        return who.self.is_idle && !wants_lock_again(who);
    }

    /// Returns the lock of a step that `take_plainly` takes, as most steps are: the acquire of a
    /// plain lock, which is enabled while no task holds it, or a release. Null: any other step.
    [[gnu::always_inline]] lock_state* plain_lock(const operation& next) const noexcept {
        if (shares_processors_) [[unlikely]]
            return nullptr;
        if (next.what == step::release)
            return has_policy_ && !is_counted(next.lock->kind()) ? &next.lock->modelled() : nullptr;
        if (next.what != step::acquire || next.timed || !is_plain(next.lock->kind()))
            return nullptr;
        return &next.lock->modelled();
    }
    /// Returns whether a step that begins is enabled whatever the other tasks do.
    [[gnu::always_inline]] bool is_always_enabled(const operation& next) const noexcept {
        if (shares_processors_) [[unlikely]]
            return false;
        if (next.what == step::join || next.what == step::interrupt) return false;
        if (next.what != step::acquire) return true;
        return next.timed || (has_policy_ && next.lock->modelled().has_queue());
    }
    [[gnu::always_inline]] static void take_plainly(const controlled_task& who, lock_state& lock) {
        if (who.self.pending.what == step::release)
            lock.release(who.self.ordinal);
        else
            lock.take_free(who.self.ordinal, who.self.pending.how);
    }

    /// Returns whether this enabled step changes nothing that other tasks can do, now or later,
    /// except that it saves them a wait: it releases a lock, or takes one at the head of its queue.
    /// Other tasks look at the lock only to wait for it.
    bool is_unopposed(const controlled_task& who) const {
        const operation& next = who.self.pending;
        if (next.lock == nullptr || next.ticket != nullptr) return false;
        const lock_state& state = next.lock->modelled();
        switch (state.kind()) {
            case lock_kind::mutex:
            case lock_kind::recursive_mutex:
            case lock_kind::spinlock:
            case lock_kind::raw_spinlock:
            case lock_kind::local_lock:
            case lock_kind::shared_mutex:
            case lock_kind::rwlock:
            case lock_kind::qrwlock: break;
            default: return false;
        }
        if (next.what == step::release) return state.is_held_by(who.self.ordinal);
        return next.what == step::acquire && who.phase == wait_phase::queued;
    }

    /// Returns a holder without whose release a task that waits for a lock cannot go on; the task
    /// itself if none is known.
    std::uint32_t who_keeps_out(const controlled_task& who) const {
        const operation& next = who.self.pending;
        for (const lock_state::use& held : next.lock->modelled().holders())
            if (held.task != who.self.ordinal && (!is_shared(held.how) || !is_shared(next.how)))
                return held.task;
        return who.self.ordinal;
    }

    /// Takes an enabled step.
    ///
    /// @param choose  (n, why) -> an answer below n
    template <class Choose>
    [[gnu::always_inline]] turn take(controlled_task& who, Choose choose) {
        const operation& next = who.self.pending;
        const std::uint32_t self = who.self.ordinal;
        if (!has_policy_ && next.lock != nullptr && is_rw(next.lock->kind())) {
            has_policy_ = true;
            locks_.set_policy(static_cast<rw_policy>(choose(rw_policies, "readers or writers")));
        }
        switch (next.what) {
            case step::acquire: return acquire(who, next, choose);
            case step::try_acquire: {
                lock_state& state = next.lock->modelled();
                if (!state.can_acquire(who.waiter(), next.how)) return turn::failed;
                take_free(state, who, next);
                return turn::taken;
            }
            case step::downgrade: next.lock->modelled().downgrade(self); return turn::taken;
            case step::wait: return wait(who, next, choose);
            case step::release:
            case step::notify_one:
            case step::notify_all: take_unblocking(self, next, choose); return turn::taken;
            case step::interrupt: who.victim = choose_victim(next, choose); return turn::taken;
            default: return turn::taken;
        }
    }

    /// Returns whether, in some execution, a task that had woken up by itself waited again. Then
    /// only a notification or its time ended the wait.
    bool has_limited_wakes() const noexcept { return has_limited_wakes_; }

    /// Takes a step of the workload's constructor or check, when no other task runs. Locks have no
    /// effect there, but counts do.
    ///
    /// @throws error  the step would wait forever
    bool take_alone(const operation& next) {
        if (next.what == step::wait) return !next.timed;
        if (next.lock == nullptr || !is_counted(next.lock->kind())) return true;
        lock_state& state = next.lock->modelled();
        if (next.what == step::release) {
            state.give(next.other);
        } else if (state.can_acquire(0, next.how)) {
            state.acquire(0, next.how);
        } else {
            if (next.what == step::acquire && !next.timed)
                throw error("a workload's constructor or check waits forever for " +
                            lock_class::from_id(next.lock->class_id()).name());
            return false;
        }
        return true;
    }

private:
    /// Returns a task that keeps this one from its processor: it is not preempted, or has a higher
    /// priority. Null: this one may run. A task in a section without preemption goes on if it has
    /// slept in that section.
    const task* keeper_of_processor(const controlled_task& who) const {
        if (!shares_processors_ || !who.processor.is_shared() || detail::is_within_step(who) ||
            detail::is_unpreemptible(who))
            return nullptr;
        const auto keeper = std::find_if(tasks_.begin(), tasks_.end(), [&](const auto& other) {
            return other.get() != &who && other->processor.number == who.processor.number &&
                   (other->processor.priority > who.processor.priority ||
                    detail::is_unpreemptible(*other)) &&
                   is_runnable(*other);
        });
        return keeper != tasks_.end() ? &(*keeper)->self : nullptr;
    }
    bool may_run(const controlled_task& who) const { return keeper_of_processor(who) == nullptr; }

    /// Returns whether the task wants its processor: it has begun and does not sleep.
    bool is_runnable(const controlled_task& who) const {
        if (who.is_done || who.is_starting || detail::has_not_begun(who)) return false;
        const operation& next = who.self.pending;
        if (next.what == step::wait)
            return who.phase == wait_phase::fresh ||
                   (wants_lock_again(who) && can_go_on_waiting(who, next));
        if (next.what != step::acquire) return is_ready(who);
        const lock_state& state = next.lock->modelled();
        return detail::spins(*next.lock) || who.self.unbroken != 0 ||
               (state.has_queue() && who.phase == wait_phase::fresh) || must_back_off(who, state) ||
               state.can_acquire(who.waiter(), next.how);
    }
    bool must_back_off(const controlled_task& who, const lock_state& state) const {
        const operation& next = who.self.pending;
        return next.ticket != nullptr &&
               state.must_back_off(who.waiter(), *next.ticket, is_wounded(who));
    }
    /// Returns whether the task could take its step if it had a processor of its own.
    bool is_ready(const controlled_task& who) const {
        if (who.is_done || who.is_starting) return false;
        const operation& next = who.self.pending;
        switch (next.what) {
            case step::acquire: {
                const lock_state& state = next.lock->modelled();
                // A blocked acquire of a lock with a queue joins it; a timed one may give up.
                if (next.timed || (state.has_queue() && who.phase == wait_phase::fresh))
                    return true;
                return must_back_off(who, state) || detail::may_begin_to_spin(who) ||
                       state.can_acquire(who.waiter(), next.how);
            }
            case step::wait: return can_go_on_waiting(who, next);
            case step::join: return tasks_[next.other]->is_done;
            case step::interrupt:
                return std::any_of(tasks_.begin(), tasks_.end(),
                                   [&](const auto& each) { return can_interrupt(*each, next); });
            default: return true;
        }
    }

    /// Returns whether the task has left the condition, and waits only for its lock.
    static bool wants_lock_again(const controlled_task& who) noexcept {
        return who.phase == wait_phase::woken || who.phase == wait_phase::gave_up;
    }
    static bool can_go_on_waiting(const controlled_task& who, const operation& next) {
        if (!wants_lock_again(who)) return who.phase == wait_phase::fresh || next.timed;
        const lock_state& lock = next.lock->modelled();
        return lock.can_acquire(who.waiter(), next.how) || can_queue_again(who, lock);
    }
    /// The second acquire of a wait joins the lock's queue like any other blocked acquire.
    static bool can_queue_again(const controlled_task& who, const lock_state& lock) noexcept {
        return lock.has_queue() && !lock.is_queued(who.waiter());
    }

    /// Returns whether a handler may come on top of a task that stands before its next step.
    bool can_interrupt(const controlled_task& whom, const operation& handler) const {
        const operation& next = whom.self.pending;
        if (whom.is_done || whom.is_starting || next.what == step::interrupt) return false;
        const bool is_asleep = next.what == step::wait && whom.phase != wait_phase::fresh;
        const std::uint32_t about_to_begin = next.what == step::acquire ? 1 : 0;
        return (whom.self.unbroken <= about_to_begin || is_asleep) &&
               whom.self.contexts.admits(static_cast<context>(handler.other)) && may_run(whom);
    }
    template <class Choose>
    std::uint32_t choose_victim(const operation& next, Choose choose) const {
        std::vector<std::uint32_t> all;
        for (const std::unique_ptr<controlled_task>& each : tasks_)
            if (can_interrupt(*each, next)) all.push_back(each->self.ordinal);
        const auto n = static_cast<std::uint32_t>(all.size());
        return all[n == 1 ? 0 : choose(n, "whom the handler interrupts")];
    }

    template <class Choose>
    void take_unblocking(std::uint32_t self, const operation& next, Choose choose) {
        if (next.what == step::release) {
            lock_state& state = next.lock->modelled();
            is_counted(state.kind()) ? state.give(next.other) : state.release(self);
        } else if (next.what == step::notify_one) {
            wake_one(*next.condition, choose);
        } else {
            while (!next.condition->modelled().queue().empty())
                wake_one(*next.condition, [](std::uint32_t, const char*) { return 0U; });
        }
    }

    template <class Choose>
    WEDGE_UNSEEN turn acquire(controlled_task& who, const operation& next, Choose choose) {
        lock_state& state = next.lock->modelled();
        const std::uint32_t self = who.waiter();
        if (state.kind() == lock_kind::ww_mutex) return ww_acquire(who, next, state);
        if (state.can_acquire(self, next.how)) {
            state.acquire(self, next.how);
            return turn::taken;
        }
        if (state.has_queue() && who.phase == wait_phase::fresh) {
            state.enqueue(self, next.how);
            who.phase = wait_phase::queued;
            // A reader behind readers who are about to be let in: its time may be over before.
            const bool is_next = next.timed && state.can_acquire(self, next.how);
            if (!is_next || choose(2, "gives up") == 0) return turn::waits;
        }
        if (detail::may_begin_to_spin(who)) {
            who.phase = wait_phase::queued;
            return turn::waits;
        }
        state.forget(self);  // only a timed wait is scheduled without its lock: it gives up
        return turn::failed;
    }

    WEDGE_UNSEEN turn ww_acquire(controlled_task& who, const operation& next, lock_state& state) {
        who.phase = wait_phase::queued;
        switch (state.ww_acquire(who.waiter(), ticket_of(next), is_wounded(who))) {
            case ww_progress::taken: return turn::taken;
            case ww_progress::backs_off: return turn::failed;
            case ww_progress::waits: break;
        }
        return turn::waits;
    }

    void take_free(lock_state& state, const controlled_task& who, const operation& next) {
        if (state.kind() == lock_kind::ww_mutex)
            state.ww_acquire(who.waiter(), ticket_of(next), false);
        else
            state.acquire(who.waiter(), next.how);
    }

    static ticket_terms ticket_of(const operation& next) noexcept {
        return next.ticket != nullptr ? *next.ticket : ticket_terms{};
    }

    /// Returns whether an older ticket waits for a lock that the task holds under its own ticket.
    bool is_wounded(const controlled_task& who) const {
        const ticket_terms* const ticket = who.self.pending.ticket;
        return ticket != nullptr &&
               std::any_of(who.self.held.begin(), who.self.held.end(), [&](const held_lock& hold) {
                   return has(hold.with, flags::ticketed) && hold.payload == ticket->instance &&
                          locks_.at(hold.instance).state.is_wounded(who.self.ordinal);
               });
    }

    /// A wait releases its lock and sleeps, leaves the condition, and takes the lock again. To give
    /// up is a step of its own: a task that has given up misses the notifications that come before
    /// it gets the lock.
    template <class Choose>
    turn wait(controlled_task& who, const operation& next, Choose choose) {
        lock_state& lock = next.lock->modelled();
        lock_state& waiting = next.condition->modelled();
        const std::uint32_t self = who.waiter();
        switch (who.phase) {
            case wait_phase::fresh:
                lock.release(who.self.ordinal);
                who.phase = wakes_by_itself(who, choose) ? wait_phase::woken : wait_phase::sleeping;
                if (who.phase == wait_phase::sleeping) waiting.enqueue(self, mode::exclusive);
                return turn::waits;
            case wait_phase::sleeping:
                waiting.forget(self);
                who.phase = wait_phase::gave_up;
                return turn::waits;
            default: break;
        }
        if (!lock.can_acquire(self, next.how)) {
            lock.enqueue(self, next.how);
            return turn::waits;
        }
        lock.acquire(self, next.how);
        return who.phase == wait_phase::woken ? turn::taken : turn::failed;
    }

    /// Decides about a spurious wake-up when the wait begins: the schedule decides anyway when the
    /// task goes on, and until then it takes no notification from other tasks.
    template <class Choose>
    bool wakes_by_itself(controlled_task& who, Choose choose) {
        if (!options_.spurious_wakeups) return false;
        if (who.has_woken_by_itself) {
            const lock_class of = lock_class::from_id(who.self.pending.condition->class_id());
            // A wait that is wedge's own looks again, and sleeps on.
            has_limited_wakes_ = has_limited_wakes_ || !of.options().keeps_mutex;
            return false;
        }
        who.has_woken_by_itself = choose(2, "wakes by itself") != 0;
        return who.has_woken_by_itself;
    }

    template <class Choose>
    void wake_one(const lock_identity& where, Choose choose) {
        lock_state& waiting = where.modelled();
        if (waiting.queue().empty()) return;
        const auto n = static_cast<std::uint32_t>(waiting.queue().size());
        const std::uint32_t woken = waiting.queue()[n == 1 ? 0 : choose(n, "who wakes")].task;
        waiting.forget(woken);
        tasks_[task_of(woken)]->phase_at(depth_of(woken)) = wait_phase::woken;
    }

    const all_tasks& tasks_;
    model_options options_;
    bool has_policy_ = true;
    bool has_limited_wakes_ = false;
    bool shares_processors_ = false;
    lock_table locks_;
};

}  // namespace wedge
