// Work items: code that runs later, in a task of its own.
#pragma once

#include <cstdint>
#include <utility>

#include "wedge/core/contexts.hpp"
#include "wedge/core/hash.hpp"
#include "wedge/core/idle.hpp"
#include "wedge/core/stage.hpp"
#include "wedge/lock/condition.hpp"
#include "wedge/lock/internal_mutex.hpp"
#include "wedge/lock/label.hpp"
#include "wedge/lock/mutex.hpp"
#include "wedge/lock/thread.hpp"

namespace wedge {

/// A body that runs on its own worker whenever the item is queued (Linux: work_struct, with one
/// worker per item). Under control the workload must make the item, and the worker is a task of the
/// execution.
///
/// While the body runs, the worker holds a lock of the item's class, and each wait for the body
/// takes that lock (rule 19a). So a wait under a lock that the body takes is an inverted order,
/// whether or not it hangs. Queueing never sleeps, and is allowed under any lock in any context.
template <class Level = default_level>
class basic_work {
public:
    template <class Body>
    explicit basic_work(Body body, label as = site::current())
        : running_(as.cls()),
          queued_(condition_class(as, " queued")),
          begun_(condition_class(as, " begun")),
          worker_(thread::daemon([this, body]() mutable { serve(body); },
                                 (as.cls().name() + " worker").c_str())) {}
    basic_work(const basic_work&) = delete;
    basic_work& operator=(const basic_work&) = delete;

    /// Waits for a running body. Drops a run that is only queued.
    ~basic_work() {
        const task& self = current();
        if (self.runtime != nullptr && self.runtime->is_giving_up()) return;
        {
            const lock_guard held(state_);
            is_stopped_ = true;
            queued_.notify_all();
        }
        worker_.join();
    }

    /// Queues a run; returns false if the item is queued already or being cancelled.
    bool queue(site where = site::current()) {
        const lock_guard held(state_, where);
        if (is_queued_ || cancels_ != 0) return false;
        is_queued_ = true;
        queued_.notify_all(where);
        return true;
    }

    /// Waits until the runs that were queued before have ended.
    void flush(site where = site::current()) {
        {
            lock_guard held(state_, where);
            while (is_queued_) begun_.wait(held, where);
        }
        wait_for_body(where);
    }

    /// Drops a queued run and waits for a running body. No task can queue the item in the meantime.
    ///
    /// @return whether a run was queued
    bool cancel(site where = site::current()) {
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

    /// Returns a hash of what the item remembers in addition to its locks. Under control, between
    /// two steps.
    std::uint64_t state() const noexcept {
        return combine(std::uint64_t{is_queued_} | std::uint64_t{is_stopped_} << 1, cancels_);
    }

private:
    using mutex_type = checked<std::mutex, Level>;
    using state_type = detail::internal_mutex<Level>;
    using lock_guard = guard<state_type>;

    static lock_class condition_class(label as, const char* of) {
        return lock_class((as.cls().name() + of).c_str(), {.keeps_mutex = true});
    }
    void wait_for_body(site where) WEDGE_NO_THREAD_SAFETY {
        running_.lock(where);
        const unbroken_section whole;  // a handler that waits for the body would find it locked
        running_.unlock(where);
    }

    template <class Body>
    void serve(Body& body) {
        while (wait_for_work()) {
            {
                unbroken_section until_body;  // until then nobody needs to wait for the worker
                const guard<mutex_type> held(running_);
                if (begin()) {
                    until_body.end();
                    body();
                }
            }
            detail::task_ended(current());  // no other task releases what the body has left held
        }
    }
    bool wait_for_work() {
        lock_guard held(state_);
        const idle_section without_work;
        while (!is_queued_ && !is_stopped_) queued_.wait(held);
        return !is_stopped_;
    }
    /// Begins a run. The item still counts as queued when the worker begins to count as running it.
    bool begin() {
        stage_scope stage;
        const lock_guard held(state_);
        begun_.notify_all();
        const bool is_to_run = std::exchange(is_queued_, false);
        stage.set(is_to_run ? 1 : 0);
        return is_to_run;
    }

    mutex_type running_;
    state_type state_;
    basic_condition<Level> queued_;
    basic_condition<Level> begun_;
    bool is_queued_ = false;
    bool is_stopped_ = false;
    unsigned cancels_ = 0;
    thread worker_;
};

using work = basic_work<>;

}  // namespace wedge
