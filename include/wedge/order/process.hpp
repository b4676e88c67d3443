// The checker of a live program. It listens from start-up, and writes its findings to stderr.
#pragma once

#include "wedge/core/finding.hpp"
#include "wedge/core/level.hpp"

namespace wedge {

class checker;

// One source of the program implements these (docs/quick_start.md).

/// Returns the process's checker. It is never destroyed, since locks of static objects may outlive
/// it.
checker& process_checker();

/// Sends later findings of the process's checker to `reports`, which must stay alive.
void on_finding(finding_sink& reports) noexcept;

namespace detail {

/// Makes the process's checker listen to this thread and to all threads that start later.
void register_process_checker();

// Static, so that it runs in each source that includes this header, before that source's own
// objects are constructed.
[[maybe_unused]] static const bool process_checker_is_registered = [] {
    if constexpr (default_level::value >= level::order) register_process_checker();
    return true;
}();

}  // namespace detail
}  // namespace wedge
