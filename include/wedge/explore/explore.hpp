// Exploring a workload: every interleaving, every choice, and a verdict for every finding.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <span>

#include "wedge/explore/dealt_exploration.hpp"
#include "wedge/explore/session.hpp"

namespace wedge {

/// Runs a program of a workload over and over under the chosen strategy.
///
/// Blocks until the budget is spent or everything was tried. The workload is made anew for every
/// execution; its actions must use wedge's locks, and may end by the exception `abandoned`. With
/// several jobs, several executions run at once, so they must share nothing. The outcome is the
/// same for every number of jobs.
///
/// @throws error  the program calls an action that there is not
template <workload W>
outcome explore(const program& calls, explore_options options = {}) {
    return dealt_exploration(options).explore(
        [&] { return std::make_unique<workload_subject<W>>(calls); });
}

/// The same for plain functions, one a task. They must leave the state they share as they found
/// it, since nobody makes it anew; so there is only one job.
inline outcome explore(std::span<const std::function<void()>> tasks, explore_options options = {}) {
    function_subject what(tasks);
    return session(what, options).explore();
}
inline outcome explore(std::initializer_list<std::function<void()>> tasks,
                       explore_options options = {}) {
    return explore(std::span(tasks.begin(), tasks.size()), options);
}

/// Repeats one execution; its findings are those of that execution.
///
/// @throws error  the schedule's program does not fit the workload
template <workload W>
outcome replay(const schedule& along, replay_mode mode = replay_mode::strict,
               explore_options options = {}) {
    workload_subject<W> what(parse_program(along.program));
    return session(what, options).replay(along, mode);
}

/// Tries to build the deadlock of a cycle that the order checker found in this workload.
template <workload W>
outcome confirm(const finding& cycle, explore_options options = {}) {
    workload_subject<W> what(default_program<W>());
    return session(what, options).confirm(cycle);
}

}  // namespace wedge
