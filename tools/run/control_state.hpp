// The state of `wedge run --control`, which the parts of the controller share.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "wedge/explore/search/strategy.hpp"

#include "run/control.hpp"
#include "run/native_state.hpp"

namespace wedge::run {

class trace_follower;
struct run_counters;

/// Who has the turn, and who waits for it. All members are for the holder of `busy` only.
class controller {
public:
    void begin_turn() noexcept;
    void end_turn() noexcept;

    void add(controlled_thread& made);
    void remove(controlled_thread& ended);
    controlled_thread* find(std::uint32_t ordinal) noexcept;

    /// Called by a thread that has come to a step.
    void arrive(controlled_thread& self, const turn_request& next);
    bool is_enabled(const controlled_thread& who) const noexcept;
    /// Gives the turn to the thread that the strategy picks, if nobody has it and a thread can go
    /// on.
    void pass_on();
    /// Takes the turn away from a holder that sleeps in the kernel, or computes for long. Gives
    /// `busy` up meanwhile.
    ///
    /// @return whether another thread has got the turn
    bool look();

    /// Called in the child of a fork.
    ///
    /// @param only  its thread; null: it is not under control
    void begin_child(controlled_thread* only);

    /// Called by a thread of a supposed deadlock: notes its stack, and that it still waits. The
    /// last one reports.
    void tell(controlled_thread& self);

    std::vector<controlled_thread*> live;     // by rising ordinal
    std::vector<controlled_thread*> known;    // live, or ended and not joined
    std::vector<controlled_thread*> waiters;  // of conditions, in the order in which they came
    std::vector<const task*> tasks;           // by ordinal
    std::vector<std::uint32_t> enabled;       // rising
    controlled_thread* holder = nullptr;
    std::uint64_t steps = 0;
    std::uint64_t arrivals = 0;
    std::uint64_t queued = 0;
    std::uint32_t last = no_task;
    bool has_yielded = false;
    bool is_frozen = false;  // a deadlock is being confirmed
    std::unique_ptr<search_strategy> strategy;
    std::unique_ptr<trace_follower> follower;  // null: nothing is replayed
    std::string directory;

private:
    void grant(controlled_thread& who) noexcept;
    /// Returns whether the holder of the turn does not need it until its next step.
    bool is_idle(const kernel_view& now) noexcept;
    /// Looks for a cycle of waits for locks through a thread that has just come to its wait.
    void look_for_cycle(controlled_thread& from);
    bool extend_to(const controlled_thread& from, std::vector<const controlled_thread*>& seen);
    bool is_stuck_at_lock(const controlled_thread& who) const noexcept;
    /// Looks whether all threads of the process wait for each other, and for nothing else.
    void look_for_standstill();
    /// Lets all threads of the supposed deadlock confirm it; meanwhile nobody gets the turn.
    void ask_all(bool is_cycle) noexcept;
    finding confirmed(finding_kind kind) const;
    finding cycle_found() const;
    finding standstill_found() const;

    std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
    // What `look` saw of the holder.
    bool is_looking_ = false;
    std::uint64_t seen_step_ = 0;
    kernel_view seen_first_;
    kernel_view seen_;
    std::int64_t seen_since_ = 0;    // wall time of the first look at this step
    std::int64_t asleep_since_ = 0;  // 0: it was awake
    // A deadlock that is being confirmed. In a cycle, each waits for a lock of the next one.
    std::vector<controlled_thread*> stuck_;
    std::size_t told_ = 0;
    bool is_confirmed_ = true;
    bool is_cycle_ = true;
    std::uint64_t standstill_seen_ = 0;  // `arrivals` of the last one that was none
};

extern controller* the_controller;

void futex_wake(std::atomic<std::uint32_t>& word) noexcept;

/// While it lives, hooks of this thread pass their calls on, in a signal handler too.
class own_work {
public:
    own_work() noexcept : was_in_turn_(me.in_turn) {
        me.in_turn = true;
        std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    ~own_work() {
        std::atomic_signal_fence(std::memory_order_seq_cst);
        me.in_turn = was_in_turn_;
    }
    own_work(const own_work&) = delete;
    own_work& operator=(const own_work&) = delete;

private:
    const bool was_in_turn_;
};

class controller_turn {
public:
    controller_turn() noexcept { the_controller->begin_turn(); }
    ~controller_turn() { the_controller->end_turn(); }
    controller_turn(const controller_turn&) = delete;
    controller_turn& operator=(const controller_turn&) = delete;
};

}  // namespace wedge::run
