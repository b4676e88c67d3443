// Whether a report is real: its scenario, explored.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "explain/report.hpp"

namespace wedge::explain {

/// What the exploration says under one more assumption.
struct answer {
    std::string assumption;  ///< "if a writer of `a` comes between"
    std::string outcome;     ///< deadlock, sound, finding, unresolved
};

/// A verdict and what it rests on.
struct judgement {
    std::string verdict;   ///< confirmed, refuted, unresolved, observed; empty: no scenario says it
    std::string why;       ///< a sentence
    std::string scenario;  ///< checked: `wedge check` finds what it expects; empty: none
    std::string schedule;  ///< that hangs it, and was replayed; empty: nothing hangs
    std::string hang;      ///< the hang as a table
    std::vector<answer> answers;  ///< what it would take, or what else may be the case
};

/// Builds scenarios of a report and explores them. Takes milliseconds to seconds.
///
/// @param path  how the schedule names its scenario
/// @param stop  ends it early, then the verdict is `unresolved`; may be null
judgement judge(const report& found, const std::string& path, const std::atomic<bool>* stop);

}  // namespace wedge::explain
