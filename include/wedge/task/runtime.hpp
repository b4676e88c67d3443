// What a task asks of the engine that controls it; a task without one runs natively.
#pragma once

#include <atomic>
#include <cstdint>

#include "wedge/base/site.hpp"
#include "wedge/event/event.hpp"
#include "wedge/task/lock_identity.hpp"

namespace wedge {

class task;
struct ticket_terms;

/// The visible steps of a controlled task.
enum class step : std::uint8_t {
    acquire,
    try_acquire,
    release,  ///< of a counted lock: gives it `other` units
    access,   ///< of memory: a read when `how` is shared, else a write
    downgrade,
    wait,  ///< release `lock` and enqueue on `condition`, then acquire `lock` again
    notify_one,
    notify_all,
    spawn,  ///< of a task
    join,   ///< of the task `other`
    yield,
};

/// One visible step, published before it is taken.
struct operation {
    step what{};
    mode how = mode::exclusive;
    bool timed = false;         ///< may give up; then `perform` returns false
    std::uint8_t subclass = 0;  ///< this and the next: only for the hold that an acquire makes
    flags with = flags::none;
    lock_identity* lock = nullptr;
    lock_identity* condition = nullptr;  ///< or what else it touches: see ww_class
    std::uint32_t other = 0;
    const ticket_terms* ticket = nullptr;  ///< of a wound/wait acquire; false: it backs off
    site where{};
    std::uint64_t payload = 0;  ///< likewise for the hold
};

/// What a controlled task runs; `run(data)` is called once.
struct task_body {
    void (*run)(void* data) = nullptr;
    void* data = nullptr;
};

/// An engine that decides who goes on. Every call is made by the task itself, between its steps.
class runtime {
public:
    runtime() = default;
    runtime(const runtime&) = delete;
    runtime& operator=(const runtime&) = delete;
    virtual ~runtime() = default;

    /// Takes the step when the engine says so; until then other tasks run.
    ///
    /// @return false: a try failed, a timed wait gave up, or a ticket must back off
    /// @throws abandoned  from a step that may block, when the execution is given up; where tasks
    ///                    leave by themselves nothing is done and the answer is false
    bool perform(task& self, const operation& next);

    /// The same for a step that has been published in `self.pending`, within a
    /// `sanitizer::ignore_scope`.
    virtual bool perform_pending(task& self) = 0;

    /// Answers a recorded choice in [0, n).
    virtual std::uint32_t choose(task& self, std::uint32_t n, const char* why) noexcept = 0;

    /// Starts a task of this execution and returns its ordinal.
    ///
    /// @param is_daemon  nobody needs to join it
    virtual std::uint32_t spawn(task& self, task_body body, const char* name, bool is_daemon) = 0;

    /// A lock was made in this execution: gives it its ordinal.
    virtual void created(lock_identity& lock) noexcept = 0;

    /// A lock that was made elsewhere is touched for the first time in this execution.
    virtual void met(lock_identity& lock) noexcept = 0;

    virtual void destroyed(lock_identity& lock) noexcept = 0;
    virtual void progress(task& self) noexcept = 0;

    /// `abandoned` cannot get out of the task: a noexcept function is in its way. Does not return
    /// if the engine can do without the rest of the task.
    virtual void cannot_unwind(task&) noexcept {}

    /// The number of the running execution, never 0: a lock with another one is a stranger.
    std::uint64_t execution() const noexcept { return execution_; }

    /// The execution has been given up: stacks unwind, and locks do nothing.
    bool is_giving_up() const noexcept { return giving_up_; }

protected:
    /// Numbers for so many executions, in a row, that no other runtime has.
    /// @return the first of them
    static std::uint64_t reserve_executions(std::uint64_t count) noexcept {
        static std::atomic<std::uint64_t> reserved{0};
        return reserved.fetch_add(count, std::memory_order_relaxed) + 1;
    }

    std::uint64_t execution_ = 0;
    bool giving_up_ = false;
};

}  // namespace wedge
