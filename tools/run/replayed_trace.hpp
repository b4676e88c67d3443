// A trace that `wedge run --control --replay` follows, as the library reads it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wedge/core/trace.hpp"

namespace wedge::run {

struct replayed_trace {
    std::uint64_t process = 1;  ///< the process of the run that follows it
    std::size_t events = 0;     ///< that are followed
    bool has_deadlock = false;  ///< threads wait for locks at its end
    std::string text;           ///< for the library
};

/// Reads a trace (docs/traces.md).
///
/// @param file  its name, for messages
/// @throws error  FILE:LINE:COLUMN: what is wrong
replayed_trace read_replayed(std::string_view text, const std::string& file);
/// @throws error  the trace has no event
replayed_trace replayed_of(const trace& all, std::uint64_t process);

}  // namespace wedge::run
