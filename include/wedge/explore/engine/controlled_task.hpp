// A task under control, and where it stands.
#pragma once

#include <cstdint>
#include <memory>

#include "wedge/core/task.hpp"
#include "wedge/explore/engine/unwinding.hpp"

namespace wedge {

/// The progress of a pending step.
enum class wait_phase : std::uint8_t {
    fresh,     ///< not tried yet
    queued,    ///< in the lock's queue
    sleeping,  ///< waits on the condition, not notified
    woken,     ///< notified; wants its lock again
    gave_up,   ///< the time is over, or a signal came; wants its lock again
};

/// The steps that do not commute with a step that concerns a lock only, in the bits of
/// subject_facts; 0: unknown.
struct step_opponents {
    std::uint64_t alone = 0;
    std::uint64_t among_waiters = 0;  ///< while tasks queue for the lock
};

/// What the subject tells about a task that is about to take a step.
struct standing {
    std::uint64_t own = 0;  ///< whole_state::of_itself
    std::uint64_t may_do = 0;
    step_opponents opponents;  ///< of its next step
};

/// What a task is about to do while a handler runs on top of it.
struct interruption : task_moment {
    wait_phase phase = wait_phase::fresh;
    context_state contexts;
    interruption* below = nullptr;  ///< what the handler of this one has interrupted
};

/// The processor on which a task runs together with others.
struct processor_share {
    std::uint32_t number = 0;    ///< 0: the task has a processor of its own
    std::uint32_t priority = 0;  ///< a task of a higher one goes first; among equals any may run

    constexpr bool is_shared() const noexcept { return number != 0; }
};

/// A task of an execution, and where it stands.
struct controlled_task {
    task self;
    task_body body;
    wait_phase phase = wait_phase::fresh;
    bool is_starting = false;  ///< has not published its first step
    bool is_done = false;
    bool is_daemon = false;            ///< no task needs to join it
    bool has_woken_by_itself = false;  ///< it had the one spurious wake-up of its execution
    const standing* known = nullptr;   ///< null: the subject must be asked
    std::uint32_t starter = 0;       ///< the stack that goes on after the first step was published
    std::uint32_t handler = nobody;  ///< the task of the handler that interrupts it now
    /// Of a handler's task: the task that its handler has interrupted.
    std::uint32_t victim = nobody;
    interruption* below = nullptr;  ///< what the handlers that run on top of it have interrupted
    std::uint32_t depth = 0;        ///< the number of these handlers
    processor_share processor;
    /// Set when it is described: the task that has the processor it waits for; null: it waits for
    /// none.
    const task* waits_for_processor_of = nullptr;
    const void* base = nullptr;  ///< an address in the frame that called its code
    /// The exception that unwinds the task now; null: none.
    std::shared_ptr<abandoned*> unwinding = std::make_shared<abandoned*>(nullptr);

    static constexpr std::uint32_t nobody = ~0U;

    std::uint32_t stack() const noexcept { return self.ordinal + 1; }
    std::uint32_t waiter() const noexcept { return waiter_of(self.ordinal, depth); }
    /// Returns the phase of what it was about to do below this number of handlers.
    wait_phase& phase_at(std::uint32_t handlers) noexcept {
        interruption* outer = below;
        if (handlers == depth) return phase;
        for (std::uint32_t i = depth - 1; i > handlers; --i) outer = outer->below;
        return outer->phase;
    }

    /// Resets it, except for its name and its ordinal.
    void begin_execution(sink* order) {
        self.held.clear();
        self.sink = order;
        self.context = context::task;
        self.contexts = {};
        self.chain = 0;
        self.scopes = 0;
        self.leaves_out = false;
        self.stage = 0;
        self.pending = {};  // it would name locks that are gone
        self.is_idle = false;
        self.unbroken = 0;
        self.action = nullptr;
        body = {};
        is_done = false;
        is_starting = false;
        is_daemon = false;
        known = nullptr;
        has_woken_by_itself = false;
        phase = wait_phase::fresh;
        starter = 0;
        handler = victim = nobody;
        below = nullptr;
        depth = 0;
        processor = {};
    }
};

}  // namespace wedge
