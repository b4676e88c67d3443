// Pauses at random where they widen the windows of races: before and after an acquire.
#pragma once

#include <atomic>
#include <cstdint>

#include <sched.h>

#include "wedge/base/rng.hpp"
#include "wedge/event/event.hpp"

namespace wedge {

/// How often a task pauses, in 1024ths of the steps where it may.
struct perturb_options {
    std::uint32_t yields = 64;  ///< gives the processor away
    std::uint32_t spins = 64;   ///< a few hundred nanoseconds
};

/// One task's pauses. Neither makes any order between tasks.
class perturbation {
public:
    perturbation(perturb_options how, std::uint64_t seed) noexcept : how_(how), random_(seed) {}

    /// Before an attempt others may come first; after an acquire they come to wait.
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
            std::atomic_signal_fence(std::memory_order_seq_cst);  // or the loop would be gone
    }

    const perturb_options how_;
    rng random_;
};

}  // namespace wedge
