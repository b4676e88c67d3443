// What a native task holds and waits for, in a form that a watchdog can read.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/syscall.h>
#include <unistd.h>

#include "wedge/core/chain_key.hpp"
#include "wedge/core/event.hpp"
#include "wedge/core/lock_class.hpp"
#include "wedge/core/sanitizer.hpp"

namespace wedge {

/// A task as it stood at one moment.
struct task_snapshot {
    std::string name;
    std::uint64_t steps = 0;  ///< since its start; an equal number later means that it stood still
    std::uint64_t calls = 0;  ///< of actions that have ended
    const char* action = nullptr;  ///< the action that it runs; null: none
    bool has_ended = false;
    std::vector<held_lock> held;
    std::optional<held_lock> wanted;  ///< the lock of a blocking acquire that it is in
    std::string waits_for;            ///< the condition that it waits for; empty: none
    bool may_give_up = false;         ///< the last wait for a condition ends at some time
    bool awaits_turn = false;         ///< it waits for the other tasks of its group to end a round
    unsigned group = 0;  ///< tasks of a group wait for each other only; 0: it may wait for any task
    long thread = 0;     ///< the system's number of its thread; 0: it has not begun
    site where{};        ///< of its last step
};

/// The state of one task, which the task writes at every step and the watchdog reads now and then.
///
/// A lock that is published as held is held: a release is published before it happens, an acquire
/// after it. So what is unchanged in two looks was true for the whole time between them.
class published_task {
public:
    explicit published_task(std::string name) : name_(std::move(name)) { held_.reserve(64); }
    published_task(const published_task&) = delete;
    published_task& operator=(const published_task&) = delete;

    /// Runs a body that no look of another thread, and no other body, overlaps. The body must not
    /// call another function of this object but `note`.
    template <class Body>
    decltype(auto) locked(Body body) const {
        const turn mine(busy_);
        return body();
    }

    /// @param action  the action that the task runs
    void publish(const event& step, const char* action = nullptr) {
        locked([&] { note(step, action); });
    }

    /// Publishes a step. Called within `locked`.
    void note(const event& step, const char* action) {
        ++steps_;
        action_ = action;
        where_ = step.where;
        switch (step.kind) {
            case event_kind::attempt:
                // Several tasks hold a pseudo-lock at once, and no task waits for it.
                if (!lock_class::from_id(step.class_id).options().never_waits)
                    wanted_ = detail::hold_of(context::task, step);
                break;
            case event_kind::acquired:
            case event_kind::try_acquired:
                wanted_.reset();
                held_.push_back(detail::hold_of(context::task, step));
                break;
            case event_kind::failed:
            case event_kind::back_off: wanted_.reset(); break;
            case event_kind::released: forget(step.instance); break;
            case event_kind::downgraded:
                for (held_lock& each : held_)
                    if (each.instance == step.instance) each.how = mode::shared;
                break;
            case event_kind::wait:
                condition_ = step.class_id;
                may_give_up_ = has(step.with, flags::timed);
                break;
            case event_kind::notify: forget(step.instance); break;  // a section without an order
            case event_kind::join:
                if (step.class_id == 0) break;  // a thread that holds nothing by its name
                [[fallthrough]];
            case event_kind::sync: wanted_ = detail::hold_of(context::task, step); break;
            case event_kind::wake:
                wanted_.reset();
                // A wait goes on after the end of a handler that ran on top of the thread.
                if (condition_ == step.class_id) condition_ = 0;
                break;
            default: break;
        }
    }

    /// Counts a step that is no event: a call has ended, or a pause between two calls goes on.
    void count() {
        const turn mine(busy_);
        ++steps_;
        ++calls_;
        action_ = nullptr;
    }

    /// The calling thread runs the task from now on.
    void begin(unsigned group) {
        const long thread = ::syscall(SYS_gettid);
        const turn mine(busy_);
        ++steps_;
        group_ = group;
        thread_ = thread;
    }
    void await_turn(bool begins) {
        const turn mine(busy_);
        ++steps_;
        awaits_turn_ = begins;
    }

    void end() {
        const turn mine(busy_);
        ++steps_;
        has_ended_ = true;
    }

    task_snapshot look() const {
        const sanitizer::ignore_scope ours;
        const turn mine(busy_);
        task_snapshot seen{name_, steps_,       calls_,       action_, has_ended_, held_, wanted_,
                           {},    may_give_up_, awaits_turn_, group_,  thread_,    where_};
        if (awaits_turn_) seen.waits_for = "the end of the round";
        if (condition_ != 0) seen.waits_for = "condition " + lock_class::from_id(condition_).name();
        return seen;
    }

private:
    /// A short critical section. Two tasks of the program never meet in it.
    class turn {
    public:
        explicit turn(std::atomic_flag& busy) noexcept : busy_(busy) {
            while (busy_.test_and_set(std::memory_order_acquire)) {
            }
        }
        ~turn() { busy_.clear(std::memory_order_release); }
        turn(const turn&) = delete;
        turn& operator=(const turn&) = delete;

    private:
        std::atomic_flag& busy_;
    };

    void forget(std::uint32_t instance) {
        for (std::size_t i = held_.size(); i-- > 0;) {
            if (held_[i].instance != instance) continue;
            held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(i));
            return;
        }
    }

    const std::string name_;
    mutable std::atomic_flag busy_;
    std::uint64_t steps_ = 0;
    std::uint64_t calls_ = 0;
    const char* action_ = nullptr;
    bool has_ended_ = false;
    std::vector<held_lock> held_;
    std::optional<held_lock> wanted_;
    std::uint32_t condition_ = 0;
    bool may_give_up_ = false;
    bool awaits_turn_ = false;
    unsigned group_ = 0;
    long thread_ = 0;
    site where_{};
};

}  // namespace wedge
