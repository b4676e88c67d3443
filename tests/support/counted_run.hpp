// Options of stress runs that end after a number of calls, and not after a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

#include "wedge/stress.hpp"

/// @param calls_max  of each thread
inline wedge::stress_options counted_run(std::uint64_t calls_max, wedge::program calls = {}) {
    wedge::stress_options how;
    how.time = std::chrono::hours(1);
    how.calls_max = calls_max;
    how.calls = std::move(calls);
    how.look_every = std::chrono::milliseconds(5);
    how.patience = std::chrono::hours(1);
    return how;
}
