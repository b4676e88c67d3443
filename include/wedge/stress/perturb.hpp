// Random pauses around the steps on locks, where they widen the windows of races.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include <sched.h>

#include "wedge/core/event.hpp"
#include "wedge/core/rng.hpp"
#include "wedge/core/task.hpp"
#include "wedge/stress/placement.hpp"

namespace wedge {

/// How often a task is perturbed, in 1024ths of its steps or calls.
struct perturb_options {
    std::uint32_t yields = 64;  ///< pauses that yield the processor
    std::uint32_t spins = 64;   ///< pauses of a few hundred nanoseconds
    /// Sleeps of up to 200 us between two locks: before an acquire under another lock. They let
    /// another task come to its own second lock.
    std::uint32_t delays = 0;
    /// Demotions: a task is slow for its next 64 acquires, as if its priority were low (as PCT
    /// changes priorities at random points).
    std::uint32_t demotions = 0;
    std::uint32_t migrations = 0;  ///< moves to another processor

    std::uint32_t try_failures = 0;    ///< trylocks of free locks that fail
    std::uint32_t back_offs = 0;       ///< wound/wait acquires that must back off for no reason
    std::uint32_t alloc_failures = 0;  ///< calls whose allocations in model/memory.hpp may fail
};

/// The pauses of one task. They create no order between tasks.
class perturbation {
public:
    perturbation(perturb_options how, std::uint64_t seed) noexcept : how_(how), random_(seed) {
        if (how_.migrations != 0) processors_ = usable_processors();
    }

    /// May pause at this step. Before an attempt, other tasks may come first; after an acquire,
    /// other tasks come to wait.
    ///
    /// @param scale  multiplies the rates
    void at(const task& self, event_kind step, std::uint32_t scale) {
        const bool is_attempt = step == event_kind::attempt;
        if (!is_attempt && step != event_kind::acquired && step != event_kind::try_acquired &&
            step != event_kind::try_failed)
            return;
        if (is_attempt && slow_for_ != 0) {
            --slow_for_;
            sleep(50);
        }
        if (is_attempt && !self.held.empty() && comes(how_.delays * scale)) sleep(200);
        if (is_attempt && comes(how_.demotions * scale)) slow_for_ = 64;
        if (comes(how_.migrations * scale) && !processors_.empty())
            run_on_processor(
                processors_[random_.below(static_cast<std::uint32_t>(processors_.size()))]);
        const std::uint32_t draw = random_.below(1024);
        const std::uint32_t yields = how_.yields * scale;
        if (draw < yields)
            ::sched_yield();
        else if (draw < yields + how_.spins * scale)
            spin(random_.below(256));
    }

private:
    bool comes(std::uint32_t rate) noexcept { return rate != 0 && random_.below(1024) < rate; }
    void sleep(std::uint32_t microseconds_max) {
        std::this_thread::sleep_for(std::chrono::microseconds(1 + random_.below(microseconds_max)));
    }
    static void spin(std::uint32_t turns) noexcept {
        for (; turns > 0; --turns)
            std::atomic_signal_fence(std::memory_order_seq_cst);  // keeps the loop alive
    }

    const perturb_options how_;
    rng random_;
    std::uint32_t slow_for_ = 0;
    std::vector<int> processors_;
};

}  // namespace wedge
