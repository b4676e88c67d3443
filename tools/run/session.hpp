// What the preloaded library knows about its process, and what each hook does first and last.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <pthread.h>

#include "wedge/core/finding.hpp"
#include "wedge/core/steps.hpp"
#include "wedge/explore/options.hpp"

#include "run/lock_table.hpp"
#include "run/real.hpp"

namespace wedge::run {

/// What a thread is doing in the library.
struct thread_state {
    bool busy = false;      ///< a hook runs: a hook within it only passes the call on
    bool ended = false;     ///< its last destructors run
    std::uint8_t kind = 0;  ///< equal for threads of one start function; 0: the first thread
    unsigned ends = 0;      ///< rounds of destructors that have run
    std::uint64_t acquires = 0;
    task* self = nullptr;
    struct controlled_thread* slot = nullptr;  ///< under control (run/control.hpp); null: it is not
    bool in_turn = false;  ///< waits for its turn: a hook in a signal handler passes its call on
};
extern constinit thread_local thread_state me;

/// Makes the calling thread's task, and the session if this is the process's first hook.
///
/// @return false: the session is being made, or the thread has ended
///
/// @param ordinal  of the task; 0: the next one
bool attach(std::uint32_t ordinal = 0) noexcept;

/// While it lives, hooks within this thread pass their calls on. Test it: if it is false, this hook
/// must pass its own call on too.
class hook_scope {
public:
    [[gnu::always_inline]] hook_scope() noexcept
        : is_open_(!me.busy && (me.self != nullptr || attach())) {
        if (!is_open_) return;
        me.busy = true;
        std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    [[gnu::always_inline]] ~hook_scope() { close(); }
    hook_scope(const hook_scope&) = delete;
    hook_scope& operator=(const hook_scope&) = delete;

    [[gnu::always_inline]] explicit operator bool() const noexcept { return is_open_; }
    /// Ends the hook's own part, before the call that it passes on.
    [[gnu::always_inline]] void close() noexcept {
        if (!is_open_) return;
        std::atomic_signal_fence(std::memory_order_seq_cst);
        me.busy = false;
        is_open_ = false;
    }

private:
    bool is_open_;
};

/// Returns the place of a return address. It is kept in the two numbers of a site, and
/// `wedge run` turns it into a file and a line.
[[gnu::always_inline]] inline site site_of(const void* returns_to) noexcept {
    const auto bits = reinterpret_cast<std::uintptr_t>(returns_to);
    return {"", "", static_cast<unsigned>(bits), static_cast<unsigned>(bits >> 32)};
}
inline std::uintptr_t address_of(const site& where) noexcept {
    return static_cast<std::uintptr_t>(where.unused) << 32 | where.line;
}

/// How the class of a lock is known.
enum class made_by : std::uint8_t { address, init, first_use, once };

/// Returns the record of a lock; makes it if it is new. The class is the address of a lock in a
/// file's data, else the calls that lead here.
lock_record& record_of_new(const void* address, lock_kind kind, made_by how) noexcept;

[[gnu::always_inline]] inline lock_record& record_of(const void* address, lock_kind kind) noexcept {
    if (lock_record* const known = locks.find(address)) [[likely]]
        return *known;
    return record_of_new(address, kind, made_by::first_use);
}

/// Adds this thread's number of acquires to the counters of the process.
void save_acquires() noexcept;
[[gnu::always_inline]] inline void count_acquire() noexcept {
    constexpr std::uint64_t often = 4096;
    if (++me.acquires == often) [[unlikely]]
        save_acquires();
}

/// Forgets a lock that the program destroys or initialises again.
void forget_lock(const void* address) noexcept;

/// Called before a thread starts: from now on, locks are taken side by side.
///
/// @return the ordinal of the new thread's task
std::uint32_t note_new_thread() noexcept;
/// Called in a new thread.
///
/// @param start    its start function, which names the thread
/// @param ordinal  from `note_new_thread`; 0: the starting thread ran within a hook
void begin_thread(const void* start, std::uint32_t ordinal) noexcept;

/// Forgets the locks in files that were unloaded.
void note_unloaded() noexcept;

/// Called when the process ends: judges its findings for the last time.
void note_end_of_process() noexcept;

/// What the run does besides checking.
struct run_plan {
    bool checks = true;
    bool records = false;
    std::uint32_t delay_permille = 0;  ///< of lock steps that are delayed
    std::uint32_t delay_most_us = 0;
    std::uint64_t seed = 1;
    bool controls = false;  ///< one thread at a time; such a run records too
    strategy how = strategy::portfolio;
    std::uint32_t depth = 3;              ///< of the strategy pct
    std::uint32_t steps_expected = 1000;  ///< of the run: where pct places its changes
};
extern run_plan plan;

struct run_counters;
run_counters& counters_of_run() noexcept;

/// Returns the calls outside of the library, innermost first.
call_stack stack_of_program();
/// Reports a deadlock that has happened, and ends the process.
///
/// @param stacks  of the threads that are in it
[[noreturn]] void report_deadlock(finding found, std::vector<call_stack> stacks) noexcept;
/// Returns whether the C library agrees that the thread holds the lock.
bool is_held_natively(const held_lock& hold, int thread) noexcept;

}  // namespace wedge::run
