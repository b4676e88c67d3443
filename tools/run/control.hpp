// `wedge run --control`: the threads of the program take their steps one at a time, in an order
// that a strategy of the explorer draws.
#pragma once

#include <atomic>
#include <cstdint>
#include <ctime>
#include <string>

#include "wedge/core/stack.hpp"

#include "run/session.hpp"

namespace wedge::run {

/// What a step may have to wait for.
enum class awaited : std::uint8_t {
    nothing,
    mutex,
    read,  ///< a readers-writer lock, for reading
    write,
    spinlock,
    semaphore,
    condition,  ///< a signal, and the mutex
    thread,     ///< its end
    once,       ///< an initialisation by another thread
};

/// A step that a thread is about to take.
struct turn_request {
    step what = step::yield;
    awaited waits = awaited::nothing;
    const void* object = nullptr;  ///< what it waits for; of a condition: the mutex
    lock_record* lock = nullptr;   ///< of a lock
    const void* returns_to = nullptr;
    const timespec* end = nullptr;  ///< of a wait with a time limit
    ::clockid_t clock = CLOCK_REALTIME;
    const void* condition = nullptr;
    const struct controlled_thread* joined = nullptr;
    bool is_unrecorded = false;  ///< no event of a trace stands for it
};

/// Why a thread goes on.
enum class turn_end : std::uint8_t { granted, expired, cancelled, interrupted };

/// A thread under control. Its own members are guarded by the controller's turn.
struct controlled_thread {
    static constexpr std::uint32_t waits = 0;  // values of `word`
    static constexpr std::uint32_t goes = 1;
    static constexpr std::uint32_t tells = 2;  // its part of a deadlock

    std::atomic<std::uint32_t> word{waits};
    std::atomic<bool> has_woken{true};
    std::uint32_t ordinal = 0;
    std::atomic<int> tid{0};  // 0: it has not started
    ::pthread_t handle{};
    bool has_handle = false;
    bool is_waiting = false;  // at a step; otherwise it has the turn, or runs outside of control
    bool has_ended = false;
    bool is_expired = false;
    bool is_cancelled = false;
    bool is_interrupted = false;
    bool is_signalled = false;  // by its condition
    std::uint64_t queued = 0;   // when it began to wait for its condition
    unsigned long_steps = 0;    // it computed for long so often
    task* own = nullptr;        // null: it has not started
    turn_request next;
    call_stack stack;
};

/// Makes the controller; called by the session. Does nothing if the plan has no control.
///
/// @param directory  of the run, which has the trace that is to be replayed
void start_control(const std::string& directory);
/// Puts the calling thread under control. It has a task.
void enter_control();
/// Announces a thread that is about to be started, so that it counts as ready from now on.
controlled_thread* announce_thread(std::uint32_t ordinal);
/// Called after the start: failed, or with this handle.
void thread_started(controlled_thread* made, bool has_failed, ::pthread_t handle);
/// Called by the new thread, which has a task; waits for its first turn.
void begin_control(controlled_thread* announced);
/// Called by a thread that ends, in its turn.
void leave_control() noexcept;

/// Waits until the thread may take this step. It then has the turn until its next step, or until it
/// sleeps in the kernel.
turn_end take_turn(const turn_request& next);

/// Gives the turn up before a call that may block. The thread then calls `take_turn` again.
void give_turn() noexcept;

/// Enlists the thread as a waiter of a condition, before it releases the mutex.
void enlist_waiter(const void* condition) noexcept;
/// Called if the mutex could not be released.
void delist_waiter() noexcept;
/// Wakes the waiter that waits longest, or all.
void signal_waiters(const void* condition, bool all) noexcept;

/// Returns the thread of this handle; null: unknown.
const controlled_thread* thread_of(::pthread_t handle) noexcept;
void forget_joined(const controlled_thread* joined) noexcept;
/// Called when a thread is to be cancelled. Its wait ends.
void note_cancel(::pthread_t handle) noexcept;

void lock_control() noexcept;
void unlock_control() noexcept;
/// Called in the child of a fork, whose only thread this is.
void fork_control();

/// Returns whether the calling thread's steps are taken in turn. Not within a hook, and not in a
/// signal handler that interrupts a wait for the turn.
[[gnu::always_inline]] inline bool is_controlled() noexcept {
    return plan.controls && me.slot != nullptr && !me.busy && !me.in_turn;
}

/// Takes a turn if the thread is under control.
[[gnu::always_inline]] inline void step_in_turn(step what, const void* returns_to,
                                                lock_record* lock = nullptr,
                                                bool is_unrecorded = false) {
    if (!plan.controls) [[likely]]
        return;
    if (is_controlled())
        take_turn(
            {.what = what, .lock = lock, .returns_to = returns_to, .is_unrecorded = is_unrecorded});
}

}  // namespace wedge::run
