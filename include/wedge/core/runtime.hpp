// The interface between a task and the engine that controls it. A task without one runs natively.
#pragma once

#include <atomic>
#include <cstdint>

#include "wedge/core/event.hpp"
#include "wedge/core/lock_identity.hpp"
#include "wedge/core/site.hpp"

namespace wedge {

class task;
struct ticket_terms;

/// The visible steps of a controlled task.
enum class step : std::uint8_t {
    acquire,
    try_acquire,
    release,  ///< of a counted lock: gives `other` units
    access,   ///< of memory: a read if `how` is shared, else a write
    downgrade,
    wait,  ///< releases `lock` and enqueues on `condition`, then acquires `lock` again
    notify_one,
    notify_all,
    spawn,  ///< starts a task
    join,   ///< waits for the end of the task `other`
    yield,
    interrupt,  ///< of a handler's task: its handler comes, `other` is the `wedge::context`
};

/// A visible step. The task publishes it before it takes it.
struct operation {
    step what{};
    mode how = mode::exclusive;
    bool timed = false;  ///< may give up; `perform` then returns false
    /// As `with` and `payload`: only for the hold that the acquire makes.
    std::uint8_t subclass = 0;
    flags with = flags::none;
    lock_identity* lock = nullptr;
    lock_identity* condition = nullptr;  ///< or another object that the step touches: see ww_class
    std::uint32_t other = 0;
    /// Of a wound/wait acquire; `perform` returns false if it backs off.
    const ticket_terms* ticket = nullptr;
    site where{};
    std::uint64_t payload = 0;  ///< as `subclass`
};

/// The code that a controlled task runs. `run(data)` is called once.
struct task_body {
    void (*run)(void* data) = nullptr;
    void* data = nullptr;
};

/// An engine that decides which task goes on. The task itself makes every call, between its steps.
class runtime {
public:
    runtime() = default;
    runtime(const runtime&) = delete;
    runtime& operator=(const runtime&) = delete;
    virtual ~runtime() = default;

    /// Takes the step when the engine lets the task. Other tasks run until then.
    ///
    /// @return false: a try failed, a timed wait gave up, or a ticket must back off
    /// @throws abandoned  from a step that may block, when the execution is given up. If the
    ///     subject's tasks leave by themselves, nothing is thrown and the result is false
    bool perform(task& self, const operation& next);

    /// As `perform`, for a step that was published in `self.pending`, within a
    /// `sanitizer::ignore_scope`.
    virtual bool perform_pending(task& self) = 0;

    /// Answers a recorded choice with a number in [0, n).
    virtual std::uint32_t choose(task& self, std::uint32_t n, const char* why) noexcept = 0;

    /// Starts a task of this execution and returns its ordinal.
    ///
    /// @param is_daemon  no task needs to join it
    virtual std::uint32_t spawn(task& self, task_body body, const char* name, bool is_daemon) = 0;

    /// Called when a lock is made in this execution. Gives it its ordinal.
    virtual void created(lock_identity& lock) noexcept = 0;

    /// Called when a lock that was made elsewhere is first touched in this execution.
    virtual void met(lock_identity& lock) noexcept = 0;

    virtual void destroyed(lock_identity& lock) noexcept = 0;
    virtual void progress(task& self) noexcept = 0;

    /// Called when `abandoned` cannot leave the task because of a noexcept function. Does not
    /// return if the engine can do without the rest of the task.
    virtual void cannot_unwind(task&) noexcept {}

    /// Returns the number of the running execution, never 0. A lock with another number was made
    /// elsewhere.
    std::uint64_t execution() const noexcept { return execution_; }

    /// Called for an access to an atomic that asks for less than sequential consistency.
    void saw_weaker_order(const site& where) noexcept {
        if (!weaker_order_.is_known()) weaker_order_ = where;
    }
    /// Returns the first place that asked for it, in all executions of this runtime; unknown: none.
    const site& weaker_order() const noexcept { return weaker_order_; }

    /// Returns whether the execution has been given up: stacks unwind, and locks do nothing.
    bool is_giving_up() const noexcept { return giving_up_; }

    /// Returns whether a lock excludes other holders. Otherwise TSan hears of no hold: an engine
    /// that grants every acquire would give a write-locked lock to a reader.
    bool has_exclusion() const noexcept { return has_exclusion_; }

protected:
    /// Reserves `count` consecutive numbers for executions, which no other runtime gets.
    /// @return the first of them
    static std::uint64_t reserve_executions(std::uint64_t count) noexcept {
        static std::atomic<std::uint64_t> reserved{0};
        return reserved.fetch_add(count, std::memory_order_relaxed) + 1;
    }

    std::uint64_t execution_ = 0;
    bool giving_up_ = false;
    bool has_exclusion_ = true;

private:
    site weaker_order_;
};

}  // namespace wedge
