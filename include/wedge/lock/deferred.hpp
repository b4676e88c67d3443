// Code that runs later in a task or an interrupt of its own, and the waits for its end.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "wedge/core/contexts.hpp"
#include "wedge/core/hash.hpp"
#include "wedge/core/idle.hpp"
#include "wedge/core/stage.hpp"
#include "wedge/lock/condition.hpp"
#include "wedge/lock/internal_mutex.hpp"
#include "wedge/lock/label.hpp"
#include "wedge/lock/mutex.hpp"
#include "wedge/lock/spinlock.hpp"
#include "wedge/lock/thread.hpp"

namespace wedge::detail {

/// The lock that a deferred body holds while it runs: none of them forbids more than the context
/// of the body does.
template <context Where, class Level>
struct running_lock {
    using type = checked<std::mutex, Level>;
};
template <class Level>
struct running_lock<context::softirq, Level> {
    using type = checked<plain_spinlock, Level>;
};
template <class Level>
struct running_lock<context::hardirq, Level> {
    using type = checked<plain_raw_spinlock, Level>;
};

/// A body that runs on a worker of its own whenever the item is queued: the base of works, timers
/// and irq works. Under control the workload must make the item, and the worker is a task of the
/// execution.
///
/// While the body runs, the worker holds a lock of the item's class, and each wait for the body
/// takes that lock (rule 19a). So a wait under a lock that the body takes is an inverted order,
/// whether or not it hangs. Queueing never sleeps, and is allowed under any lock in any context.
///
/// Under control time is virtual: a delay may be over at once, or last until no other task can go
/// on. A body that queues its own item with a delay runs once more; its next run waits until
/// another task queues the item. So a body that always queues itself later does not keep an
/// execution from ending. Engines prove nothing of executions in which a run was left out. A body
/// that always queues itself at once does: that is a livelock.
///
/// @tparam Where  the context in which the body runs
template <context Where, class Level>
class deferred {
public:
    template <class Body>
    deferred(Body body, label as, site where) : deferred(as, where) {
        worker_ = thread::daemon([this, body]() mutable { serve(body); },
                                 (as.cls().name() + " worker").c_str());
    }
    deferred(const deferred&) = delete;
    deferred& operator=(const deferred&) = delete;

    /// Waits for a running body. Drops a run that is only queued.
    ~deferred() {
        const task& self = current();
        if (self.runtime != nullptr && self.runtime->is_giving_up()) return;
        if (!worker_.joinable()) return;
        stop_serving();
        worker_.join();
    }

    /// Returns a hash of what the item remembers in addition to its locks. Under control, between
    /// two steps.
    std::uint64_t state() const noexcept {
        return combine(std::uint64_t{is_queued_} | std::uint64_t{is_stopped_} << 1 |
                           std::uint64_t{queues_itself_} << 2 | std::uint64_t{is_on_top_} << 3 |
                           std::uint64_t{is_queued_ && due_ != at_once} << 4,
                       std::uint64_t{cancels_} << 32 | runs_left_);
    }

protected:
    /// Makes an item without a worker of its own: a thread of the owner calls `serve`.
    deferred(label as, site where)
        : where_(where),
          running_(as.cls()),
          queued_(condition_class(as, " queued")),
          begun_(condition_class(as, " begun")) {}

    using time = std::chrono::steady_clock::time_point;
    static constexpr time at_once{};

    /// Queues a run; returns false if the item is queued already or being cancelled.
    bool queue_at(time due, site where) {
        const lock_guard held(state_, where);
        if (is_queued_ || cancels_ != 0) return false;
        arm(due, where);
        return true;
    }
    /// Queues a run, or changes when a queued one begins. Returns whether a run was queued. Does
    /// nothing while the item is being cancelled.
    bool requeue_at(time due, site where) {
        const lock_guard held(state_, where);
        const bool was_queued = is_queued_;
        if (cancels_ == 0) arm(due, where);
        return was_queued;
    }

    /// Waits until the runs that were queued before have ended. A delay is over at once.
    void flush_now(site where) {
        {
            lock_guard held(state_, where);
            if (is_queued_ && due_ != at_once) arm(at_once, where);
            while (is_queued_ && !is_stopped_) begun_.wait(held, where);
        }
        wait_for_body(where);
    }

    /// Drops a queued run, without a wait for a running body. Returns whether one was queued.
    bool drop(site where) {
        const lock_guard held(state_, where);
        begun_.notify_all(where);
        return std::exchange(is_queued_, false);
    }

    /// Drops a queued run and waits for a running body. No task can queue the item in the meantime.
    ///
    /// @return whether a run was queued
    bool cancel_and_wait(site where) {
        bool was_queued = false;
        stage_scope stage;
        {
            const lock_guard held(state_, where);
            was_queued = std::exchange(is_queued_, false);
            ++cancels_;
            begun_.notify_all(where);
        }
        wait_for_body(where);
        stage.set(1);
        const lock_guard held(state_, where);
        --cancels_;
        return was_queued;
    }

    /// Drops queued runs and waits for running bodies, until the item is neither queued nor
    /// running. Others may queue it in the meantime.
    bool drop_until_still(site where) {
        bool was_queued = false;
        stage_scope stage;
        do {
            stage.set(0);
            was_queued = drop(where) || was_queued;
            stage.set(1);
        } while (!is_still(where));
        return was_queued;
    }

    /// States that the task may sleep here until the body has ended. A lock of the body that sleeps
    /// states it too.
    void might_sleep(site where) {
        if constexpr (Level::value != level::off)
            detail::might_sleep(current(), lock_class::from_id(running_.identity().class_id()),
                                where);
    }

    bool is_pending(site where) {
        const lock_guard held(state_, where);
        return is_queued_;
    }

    /// Waits until the body is not running. The order is checked even if it is not.
    void wait_for_body(site where) WEDGE_NO_THREAD_SAFETY {
        const interrupts_masked masked;
        running_.lock(where);
        const unbroken_section whole;  // a handler that waits for the body would find it locked
        running_.unlock(where);
    }

    /// Waits as `wait_for_body`, and returns whether the item is not queued either. A run begins
    /// under the lock of the body, so none can begin between the wait and the look.
    bool is_still(site where) WEDGE_NO_THREAD_SAFETY {
        const interrupts_masked masked;
        running_.lock(where);
        const bool is_queued = is_pending(where);
        const unbroken_section whole;
        running_.unlock(where);
        return !is_queued;
    }

    /// Ends `serve` after the run that goes on. Runs that are only queued are dropped, and nobody
    /// waits for them any more.
    void stop_serving(site where = site::current()) {
        const lock_guard held(state_, where);
        is_stopped_ = true;
        queued_.notify_all(where);
        if (current().runtime == nullptr) begun_.notify_all(where);
    }

    /// In a live program: returns whether a run is queued or goes on. A run that the body has
    /// queued with a delay does not count: such an item is never idle.
    bool is_busy(site where) {
        const lock_guard held(state_, where);
        if (is_stopped_) return false;
        return (is_queued_ && !queues_itself_) || is_on_top_ || !is_asleep_;
    }
    /// In a live program: takes a queued run away from the worker, if the worker sleeps. The caller
    /// runs the body by `run_on_top`, and must hold no lock of the item.
    ///
    /// @return false: no run is queued, or the worker has begun it
    bool claim(site where) {
        const lock_guard held(state_, where);
        if (!is_queued_ || is_on_top_ || is_stopped_ || !is_asleep_) return false;
        return is_on_top_ = true;
    }

    /// Runs the body on top of the running task, which the worker has interrupted.
    template <class Body>
    void run_on_top(const Body& body) {
        run(body);
        const lock_guard held(state_, where_);
        is_on_top_ = false;
        serving_ = nullptr;
        queued_.notify_all(where_);
    }

    /// Serves the item. A body with a function `interrupt`, which interrupts a controlled task,
    /// may run on top of that task, as `run_on_top`.
    template <class Body>
    void serve(Body& body) {
        constexpr bool interrupts = requires {
            body.interrupt();
        };
        for (;;) {
            const next_run next = wait_for_work(interrupts && current().runtime != nullptr);
            if (next == next_run::none) return;
            if constexpr (interrupts)
                if (next == next_run::on_top) {
                    body.interrupt();
                    continue;
                }
            run(body);
            task_ended(current());  // no other task releases what the body has left held
        }
    }

private:
    using lock_guard = guard<internal_mutex<Level>>;
    using running_type = typename running_lock<Where, Level>::type;
    /// What the worker does next: it ends, runs the body, or interrupts a task that runs it.
    enum class next_run : unsigned char { none, by_worker, on_top };

    /// Masks interrupts without an event. The lock of a running body belongs to wedge: no interrupt
    /// takes it on top of a task that waits for the body.
    class interrupts_masked {
    public:
        interrupts_masked() noexcept : self_(current()), before_(self_.contexts.irqs_are_off) {
            if constexpr (Where != context::task) self_.contexts.irqs_are_off = true;
        }
        ~interrupts_masked() { self_.contexts.irqs_are_off = before_; }
        interrupts_masked(const interrupts_masked&) = delete;
        interrupts_masked& operator=(const interrupts_masked&) = delete;

    private:
        task& self_;
        const bool before_;
    };

    static lock_class condition_class(label as, const char* of) {
        return lock_class((as.cls().name() + of).c_str(), {.keeps_mutex = true});
    }

    /// Called with `state_` held.
    void arm(time due, site where) {
        is_queued_ = true;
        due_ = due;
        queues_itself_ = due != at_once && &current() == serving_;
        runs_left_ = due == at_once ? 0 : queues_itself_ ? runs_left_ : 2;
        // Otherwise an item that always queues itself would have endless executions.
        if (queues_itself_ && runs_left_ == 0 && current().runtime != nullptr)
            current().leaves_out = true;
        queued_.notify_all(where);
    }

    template <class Body>
    void run(Body& body) {
        std::optional<in_context> interrupt;
        if constexpr (Where != context::task) interrupt.emplace(Where);
        unbroken_section until_body;  // until then nobody needs to wait for the worker
        const guard<running_type> held(running_, where_);
        if (!begin()) return;
        until_body.end();
        body();
    }
    next_run wait_for_work(bool interrupts) {
        lock_guard held(state_, where_);
        const idle_section without_work;
        while ((!is_due() || is_on_top_) && !is_stopped_) {
            is_asleep_ = true;
            const bool has_delay = is_queued_ && !is_on_top_ && current().runtime == nullptr;
            if (has_delay)
                static_cast<void>(queued_.wait_until(held, due_, where_));
            else
                queued_.wait(held, where_);
        }
        is_asleep_ = false;
        if (is_stopped_) return next_run::none;
        is_on_top_ = interrupts && choose(2, "on top of a task") != 0;
        if (is_on_top_) return next_run::on_top;
        serving_ = &current();
        return next_run::by_worker;
    }
    bool is_due() const {
        if (!is_queued_) return false;
        if (current().runtime != nullptr) return !queues_itself_ || runs_left_ != 0;
        return due_ <= std::chrono::steady_clock::now();
    }
    /// Begins a run. The item still counts as queued when the worker begins to count as running it.
    bool begin() {
        stage_scope stage;
        const lock_guard held(state_, where_);
        begun_.notify_all(where_);
        if (is_on_top_) serving_ = &current();
        const bool is_to_run = std::exchange(is_queued_, false);
        if (is_to_run && runs_left_ != 0) --runs_left_;
        stage.set(is_to_run ? 1 : 0);
        return is_to_run;
    }

    const site where_;  // of the item; the worker's steps are reported there
    running_type running_;
    internal_mutex<Level> state_;
    basic_condition<Level> queued_;
    basic_condition<Level> begun_;
    bool is_queued_ = false;
    bool is_stopped_ = false;
    bool queues_itself_ = false;
    bool is_asleep_ = false;  // the worker waits for work
    bool is_on_top_ = false;  // the worker interrupts a task, or its body runs on top of that task
    unsigned runs_left_ = 0;  // under control: until another task queues the item
    unsigned cancels_ = 0;
    time due_ = at_once;
    const task* serving_ = nullptr;
    thread worker_;
};

}  // namespace wedge::detail
