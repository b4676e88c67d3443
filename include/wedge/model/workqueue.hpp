// Workqueues: work items that share workers.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/contexts.hpp"
#include "wedge/core/idle.hpp"
#include "wedge/lock/condition.hpp"
#include "wedge/lock/internal_mutex.hpp"
#include "wedge/lock/label.hpp"
#include "wedge/lock/mutex.hpp"
#include "wedge/lock/pseudo_lock.hpp"
#include "wedge/lock/thread.hpp"

namespace wedge {

class workqueue;

/// A body that a workqueue runs; it is used with one queue. The object may be destroyed while its
/// body runs, also by the body itself, but not while it is queued.
class work_item {
public:
    explicit work_item(std::function<void()> body, label as = site::current())
        : state_(std::make_shared<state>(std::move(body), as.cls())) {}

    /// Waits until the body is not running. The order is checked even if it never was.
    void wait_for_body(site where = site::current()) {
        const std::shared_ptr<state> mine = state_;  // the object may go meanwhile
        wait_for_body(*mine, where);
    }

private:
    friend class workqueue;
    using time = std::chrono::steady_clock::time_point;

    struct state {
        state(std::function<void()> what, lock_class cls) : body(std::move(what)), running(cls) {}
        const std::function<void()> body;
        mutex running;  // held while the body runs
        bool is_queued = false;
        bool queues_itself = false;
        unsigned runs_left = 0;  // under control: until another task queues the item
        unsigned cancels = 0;
        time due{};
        const task* served_by = nullptr;
    };

    static void wait_for_body(state& of, site where) WEDGE_NO_THREAD_SAFETY {
        of.running.lock(where);
        const unbroken_section whole;  // a handler that waits for the body would find it locked
        of.running.unlock(where);
    }

    std::shared_ptr<state> state_;
};

/// A queue of work items, and the workers that run them: at most `max_active` at once (Linux:
/// workqueue_struct). Workers are started when they are needed. An item never runs twice at once.
///
/// A worker that runs a body holds a lock of the item's class, and a section of the queue's class.
/// A wait for an item takes the item's lock (rule 19a). A wait for the whole queue enters the
/// queue's section too; so does a wait for an item if one body at a time runs, since the item may
/// be behind another one. So it is a finding if a body waits for an item of its own queue with
/// `max_active` 1.
///
/// Queueing never sleeps. Under control a delay may be over at once, or last until no other task
/// can go on. An item that queues itself after a delay runs once more; its next run waits until
/// another task queues it.
class workqueue {
public:
    using duration = std::chrono::steady_clock::duration;

    explicit workqueue(unsigned max_active = 1, label as = site::current())
        : max_active_(max_active),
          name_(as.cls().name()),
          section_((name_ + " (workqueue)").c_str(), class_options{.unchecked = true},
                   wait_type::none),
          queued_(condition_class(" queued")),
          begun_(condition_class(" begun")) {}
    workqueue(const workqueue&) = delete;
    workqueue& operator=(const workqueue&) = delete;
    /// Waits for running bodies. Drops what is only queued.
    ~workqueue() {
        const task& self = current();
        if (self.runtime != nullptr && self.runtime->is_giving_up()) return;
        {
            const lock_guard held(lock_);
            is_stopped_ = true;
            queued_.notify_all();
        }
        for (thread& each : workers_) each.join();
    }

    /// Queues an item; returns false if it is queued already or being cancelled.
    bool queue(work_item& one, duration delay = {}, site where = site::current()) {
        const lock_guard held(lock_, where);
        if (one.state_->is_queued || one.state_->cancels != 0) return false;
        arm(one, delay, where);
        return true;
    }
    /// Queues an item, or changes the delay of a queued one. Returns whether it was queued.
    bool modify(work_item& one, duration delay, site where = site::current()) {
        const lock_guard held(lock_, where);
        const bool was_queued = one.state_->is_queued;
        if (one.state_->cancels != 0) return was_queued;
        if (was_queued) std::erase(pending_, one.state_);
        arm(one, delay, where);
        return was_queued;
    }

    /// Waits until the runs of an item that were queued before have ended. A delay is over at once.
    ///
    /// @return whether there was one to wait for
    bool flush(work_item& one, site where = site::current()) {
        const std::shared_ptr<work_item::state> mine = one.state_;
        if (max_active_ == 1) section_.touch(mode::exclusive, where);
        return wait_for(*mine, where);
    }
    /// Waits for all items that were queued before.
    void flush_all(site where = site::current()) {
        section_.touch(mode::exclusive, where);
        std::vector<std::shared_ptr<work_item::state>> all;
        {
            const lock_guard held(lock_, where);
            all = pending_;
            all.insert(all.end(), running_.begin(), running_.end());
        }
        for (const std::shared_ptr<work_item::state>& each : all) wait_for(*each, where);
    }
    /// Drops a queued run, without a wait for a running body. Returns whether one was queued.
    bool cancel(work_item& one, site where = site::current()) {
        const lock_guard held(lock_, where);
        return drop(*one.state_, where);
    }
    /// Drops a queued run and waits for a running body. No task can queue the item in the meantime.
    bool cancel_sync(work_item& one, site where = site::current()) {
        const std::shared_ptr<work_item::state> mine = one.state_;
        bool was_queued = false;
        {
            const lock_guard held(lock_, where);
            was_queued = drop(*mine, where);
            ++mine->cancels;
        }
        work_item::wait_for_body(*mine, where);
        const lock_guard held(lock_, where);
        --mine->cancels;
        return was_queued;
    }
    bool is_queued(const work_item& one, site where = site::current()) {
        const lock_guard held(lock_, where);
        return one.state_->is_queued;
    }

private:
    using state = work_item::state;
    using lock_guard = guard<detail::internal_mutex<>>;

    lock_class condition_class(const char* of) const {
        return lock_class((name_ + of).c_str(), {.keeps_mutex = true});
    }

    /// Called with `lock_` held, as the next two.
    void arm(work_item& one, duration delay, site where) {
        state& of = *one.state_;
        of.is_queued = true;
        of.due = delay == duration{} ? work_item::time{} : std::chrono::steady_clock::now() + delay;
        of.queues_itself = delay != duration{} && &current() == of.served_by;
        if (!of.queues_itself) of.runs_left = 2;
        pending_.push_back(one.state_);
        const auto unclaimed =
            std::count_if(pending_.begin(), pending_.end(),
                          [this](const auto& each) { return !is_running(each); });
        if (static_cast<std::size_t>(unclaimed) > idle_ && workers_.size() < max_active_)
            workers_.push_back(thread::daemon([this] { serve(); }, (name_ + " worker").c_str()));
        else
            queued_.notify_all(where);
    }
    bool drop(state& of, site where) {
        if (std::erase_if(pending_, [&](const auto& each) { return each.get() == &of; }) == 0)
            return false;
        of.is_queued = false;
        begun_.notify_all(where);
        return true;
    }

    bool is_running(const std::shared_ptr<state>& of) const {
        return std::find(running_.begin(), running_.end(), of) != running_.end();
    }

    bool wait_for(state& of, site where) {
        bool was_queued = false;
        {
            lock_guard held(lock_, where);
            was_queued = of.is_queued;
            if (was_queued) of.due = {};
            if (was_queued) queued_.notify_all(where);
            while (of.is_queued) begun_.wait(held, where);
        }
        work_item::wait_for_body(of, where);
        return was_queued;
    }
    void serve() {
        while (const std::shared_ptr<state> next = wait_for_work()) {
            section_.acquire(mode::recursive_shared);
            run(*next);
            section_.release(mode::recursive_shared);
            detail::task_ended(current());  // no other task releases what the body has left held
            const lock_guard held(lock_);
            std::erase(running_, next);
        }
    }
    void run(state& of) {
        unbroken_section until_body;  // until then nobody needs to wait for the worker
        const guard<mutex> held(of.running);
        {
            const lock_guard mine(lock_);
            begun_.notify_all();
            if (!std::exchange(of.is_queued, false)) return;
            std::erase_if(pending_, [&](const auto& each) { return each.get() == &of; });
            if (of.runs_left != 0) --of.runs_left;
            of.served_by = &current();
        }
        until_body.end();
        of.body();
    }

    /// Returns the next item, which still counts as queued; null: the queue has stopped.
    std::shared_ptr<state> wait_for_work() {
        lock_guard held(lock_);
        const idle_section without_work;
        for (;;) {
            if (is_stopped_) return nullptr;
            const auto next = std::find_if(
                pending_.begin(), pending_.end(),
                [this](const auto& each) { return !is_running(each) && is_due(*each); });
            if (next != pending_.end()) {
                running_.push_back(*next);
                return *next;
            }
            ++idle_;
            sleep(held);
            --idle_;
        }
    }
    void sleep(lock_guard& held) {
        const bool is_controlled = current().runtime != nullptr;
        const auto soonest =
            std::min_element(pending_.begin(), pending_.end(),
                             [](const auto& a, const auto& b) { return a->due < b->due; });
        if (is_controlled || soonest == pending_.end() || is_due(**soonest))
            queued_.wait(held);
        else
            static_cast<void>(queued_.wait_until(held, (*soonest)->due));
    }
    static bool is_due(const state& of) {
        if (current().runtime != nullptr) return !of.queues_itself || of.runs_left != 0;
        return of.due <= std::chrono::steady_clock::now();
    }

    const unsigned max_active_;
    const std::string name_;
    pseudo_lock section_;
    detail::internal_mutex<> lock_;
    condition queued_;
    condition begun_;
    std::vector<std::shared_ptr<state>> pending_;  // queued; guarded by lock_, as the others
    std::vector<std::shared_ptr<state>> running_;  // taken by a worker
    unsigned idle_ = 0;
    bool is_stopped_ = false;
    std::vector<thread> workers_;
};

}  // namespace wedge
