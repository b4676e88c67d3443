// What an engine says at the end: the result, the findings, and how much was tried.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wedge/event/finding.hpp"

namespace wedge {

/// The first that holds, worst first.
enum class result : std::uint8_t {
    deadlock,    ///< an execution in which nothing could go on
    livelock,    ///< one in which all that could go on retried without end
    exception,   ///< an action or a check threw
    finding,     ///< a finding that is not refuted
    unresolved,  ///< nothing was found, but not everything was tried
    sound,       ///< every schedule was tried; all findings are refuted
};

constexpr const char* name_of(result r) noexcept {
    constexpr const char* names[] = {"deadlock", "livelock",   "exception",
                                     "finding",  "unresolved", "sound"};
    return names[static_cast<std::size_t>(r)];
}

struct outcome {
    result what = result::unresolved;
    std::vector<finding> findings;   ///< one a signature, in the order of discovery
    std::uint64_t executions = 0;    ///< complete ones, those that deadlocked included
    std::uint64_t pruned = 0;        ///< given up, since an equal one had been tried
    std::uint64_t states = 0;        ///< different ones, of a search over states
    std::uint64_t steps = 0;         ///< visible steps, of all executions
    bool exhausted = false;          ///< every schedule and choice was tried
    bool bounded = false;            ///< an execution was cut at the bound of steps
    bool has_modelled_state = true;  ///< false: the workload touched no lock at all
    std::string reason;              ///< why nothing is proved, where it is not the budget
    std::string diverged;            ///< replay: where it left the schedule, or empty
    schedule best;  ///< of the worst finding; without one, of the first execution that was cut
};

}  // namespace wedge
