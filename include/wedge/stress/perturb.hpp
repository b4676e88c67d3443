// Random pauses before and after an acquire, where they widen the windows of races.
#pragma once

#include <atomic>
#include <cstdint>

#include <sched.h>

#include "wedge/core/event.hpp"
#include "wedge/core/rng.hpp"

namespace wedge {

/// How often a task pauses, in 1024ths of the steps at which it may pause.
struct perturb_options {
    std::uint32_t yields = 64;  ///< pauses that yield the processor
    std::uint32_t spins = 64;   ///< pauses of a few hundred nanoseconds
};

/// The pauses of one task. They create no order between tasks.
class perturbation {
public:
    perturbation(perturb_options how, std::uint64_t seed) noexcept : how_(how), random_(seed) {}

    /// May pause at this step. Before an attempt, other tasks may come first; after an acquire,
    /// other tasks come to wait.
    void at(event_kind step) noexcept {
        if (step != event_kind::attempt && step != event_kind::acquired &&
            step != event_kind::try_acquired)
            return;
        const std::uint32_t draw = random_.below(1024);
        if (draw < how_.yields)
            ::sched_yield();
        else if (draw < how_.yields + how_.spins)
            spin(random_.below(256));
    }

private:
    static void spin(std::uint32_t turns) noexcept {
        for (; turns > 0; --turns)
            std::atomic_signal_fence(std::memory_order_seq_cst);  // keeps the loop alive
    }

    const perturb_options how_;
    rng random_;
};

}  // namespace wedge
