// The outcome of an engine: the result, the findings, and how much was tried.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wedge/core/finding.hpp"

namespace wedge {

/// The result of an exploration: the first that applies, worst first.
enum class result : std::uint8_t {
    deadlock,    ///< in some execution no task could go on
    livelock,    ///< in some execution all tasks that could go on retried forever
    exception,   ///< an action or a check threw an exception
    finding,     ///< a finding that is not refuted
    unresolved,  ///< nothing was found, but not everything was tried
    sound,       ///< every schedule was tried, and all findings are refuted
};

constexpr const char* name_of(result r) noexcept {
    constexpr const char* names[] = {"deadlock", "livelock",   "exception",
                                     "finding",  "unresolved", "sound"};
    return names[static_cast<std::size_t>(r)];
}

struct outcome {
    result what = result::unresolved;
    std::vector<finding> findings;  ///< one per signature, in the order of discovery
    /// What was held while what was wanted in some execution: one per pair of classes.
    std::vector<dependency> lock_pairs;
    std::uint64_t executions = 0;    ///< run to their end, including those that deadlocked
    std::uint64_t pruned = 0;        ///< given up because an equivalent one had been tried
    std::uint64_t states = 0;        ///< distinct states, of a search over states
    std::uint64_t steps = 0;         ///< visible steps of all executions
    std::uint64_t left = 0;          ///< stacks that could not be unwound; what they own leaks
    std::string first_left;          ///< the task of the first of them
    bool exhausted = false;          ///< every schedule and choice was tried
    bool bounded = false;            ///< an execution was cut at the bound of steps
    bool has_modelled_state = true;  ///< false: the workload touched no lock at all
    /// A place that asked an atomic for a weaker order than sequential consistency, which alone was
    /// explored: `dir/file.cpp:12`. Empty: none did.
    std::string weaker_order;
    /// A task that had woken up by itself waited again, and did not wake up by itself once more:
    /// see model_options::spurious_wakeups.
    bool has_limited_wakes = false;
    std::string reason;      ///< why nothing is proved, if it is not the budget
    const char* phase = "";  ///< what a search does now, for its progress; empty: it tries
    std::string diverged;    ///< replay: where it left the schedule; empty: nowhere
    schedule best;  ///< of the worst finding; without findings, of the first execution that was cut
};

}  // namespace wedge
