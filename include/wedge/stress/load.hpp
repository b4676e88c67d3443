// The shape of a load: which threads call what, how long they hold locks and pause, and when.
#pragma once

#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "wedge/core/rng.hpp"
#include "wedge/lock/futex.hpp"

namespace wedge {

/// A random duration. Without a shape it is always 0.
struct random_time {
    enum class shape : std::uint8_t { none, fixed, uniform, exponential };

    shape how = shape::none;
    std::chrono::nanoseconds first{0};  ///< the fixed time, the least, or the mean
    std::chrono::nanoseconds last{0};   ///< of a uniform time: the longest

    /// Returns the next duration of a sequence.
    std::chrono::nanoseconds draw(rng& random) const {
        switch (how) {
            case shape::none: return {};
            case shape::fixed: return first;
            case shape::uniform: {
                const auto range = static_cast<std::uint64_t>((last - first).count()) + 1;
                return first +
                       std::chrono::nanoseconds(static_cast<std::int64_t>(random.next() % range));
            }
            case shape::exponential: break;
        }
        const double unit = (static_cast<double>(random.next() >> 11) + 1) * 0x1.0p-53;
        return std::chrono::nanoseconds(
            static_cast<std::int64_t>(-std::log(unit) * static_cast<double>(first.count())));
    }
};

/// What some of the threads call. Actions are drawn by their weights.
struct stress_role {
    unsigned threads = 1;  ///< its share of the threads, in proportion to the other roles
    std::vector<std::pair<std::string, std::uint32_t>> weights;  ///< by the name of the action
};

/// The phases of a run, which follow each other in equal parts of its time.
enum class stress_phase : std::uint8_t {
    steady,    ///< as the options say
    calm,      ///< long pauses between the calls, no memory hog
    pressure,  ///< the memory hog works
    storm,     ///< the hog works, no pauses between the calls, four times as many perturbations
    recovery,  ///< as calm
};
inline constexpr const char* stress_phase_names[] = {"steady", "calm", "pressure", "storm",
                                                     "recovery"};
constexpr const char* name_of(stress_phase phase) noexcept {
    return stress_phase_names[static_cast<std::size_t>(phase)];
}

/// Where the threads run.
enum class stress_placement : std::uint8_t {
    free,     ///< where the system puts them
    compact,  ///< thread i on the i-th processor: neighbouring processors first
    spread,   ///< in turn on each node of the memory (NUMA)
};
inline constexpr const char* stress_placement_names[] = {"free", "compact", "spread"};

/// Passes that time: on the processor if it is short, else asleep.
inline void pass_time(std::chrono::nanoseconds time) {
    using clock = std::chrono::steady_clock;
    if (time.count() <= 0) return;
    if (time >= std::chrono::microseconds(100)) return std::this_thread::sleep_for(time);
    for (const clock::time_point end = clock::now() + time; clock::now() < end;)
        detail::spin_pause();
}

}  // namespace wedge
