// Explores workloads: every interleaving, every choice, and a verdict for every finding.
#pragma once

#include <functional>
#include <initializer_list>
#include <span>

#include "wedge/core/finding.hpp"
#include "wedge/core/schedule.hpp"
#include "wedge/explore/options.hpp"
#include "wedge/workload/outcome.hpp"
#include "wedge/workload/workload.hpp"

namespace wedge {

// One source of the program implements these (docs/quick_start.md): the engines see no user's type.
outcome explore(const workload_type& of, const program& calls, const explore_options& options);
outcome replay(const workload_type& of, const schedule& along, replay_mode mode,
               const explore_options& options);
outcome confirm(const workload_type& of, const finding& cycle, const explore_options& options);

/// Runs a program of a workload over and over under the chosen strategy.
///
/// Blocks until the budget is spent or everything was tried. The engine makes the workload anew for
/// every execution. The actions must use wedge's locks, and may end by the exception `abandoned`.
/// With several jobs, several executions run at once, so they must share nothing. The outcome is
/// the same for every number of jobs.
///
/// @throws error  the program calls an action that the workload does not have
template <workload W>
outcome explore(const program& calls, const explore_options& options = {}) {
    return explore(type_of<W>, calls, options);
}

/// Explores plain functions, one per task. They must leave the state that they share as they found
/// it, because the engine does not make it anew; so there is only one job.
outcome explore(std::span<const std::function<void()>> tasks, const explore_options& options = {});
inline outcome explore(std::initializer_list<std::function<void()>> tasks,
                       const explore_options& options = {}) {
    return explore(std::span(tasks.begin(), tasks.size()), options);
}

/// Repeats one execution; its findings are those of that execution.
///
/// @throws error  the schedule's program does not fit the workload
template <workload W>
outcome replay(const schedule& along, replay_mode mode = replay_mode::strict,
               const explore_options& options = {}) {
    return replay(type_of<W>, along, mode, options);
}

/// Tries to build the deadlock of a cycle that the order checker found in this workload.
template <workload W>
outcome confirm(const finding& cycle, const explore_options& options = {}) {
    return confirm(type_of<W>, cycle, options);
}

}  // namespace wedge

#if defined(WEDGE_IMPLEMENT)
#include "wedge/implement/explore.hpp"
#include "wedge/implement/order.hpp"
#endif
