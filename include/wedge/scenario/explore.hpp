// Explores and replays a scenario, as `wedge::explore` and `wedge::replay` do with a workload.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "wedge/core/finding.hpp"
#include "wedge/core/schedule.hpp"
#include "wedge/explore/options.hpp"
#include "wedge/model/pressure.hpp"
#include "wedge/scenario/ast.hpp"
#include "wedge/workload/outcome.hpp"

namespace wedge::scenario {

/// The names of a scenario's locks, by instance: `resv[1]`.
using lock_titles = std::map<std::uint32_t, std::string>;

/// Names each lock as the scenario does. Without it, a finding knows only the class.
inline void name_locks(finding& found, const lock_titles& titles) {
    const auto rename = [&](lock_use& use) {
        const auto title = titles.find(use.instance);
        if (title != titles.end()) use.class_name = title->second;
    };
    for (std::vector<dependency>* const edges : {&found.cycle, &found.reached})
        for (dependency& edge : *edges) {
            rename(edge.held);
            rename(edge.wanted);
        }
    for (lock_use& lock : found.locks) rename(lock);
    for (task_report& task : found.tasks) {
        for (lock_use& lock : task.held) rename(lock);
        if (task.wanted) rename(*task.wanted);
    }
}

// Implemented by the source that implements those of scenario/check.hpp.

/// Explores a scenario under the chosen strategy, without an order pass.
///
/// Blocks until the budget is spent or everything was tried.
///
/// @throws error  the strategy cannot search this scenario
outcome explore(const document& all, const explore_options& options, pressure under = {});

/// Repeats an execution. The findings are those of this execution.
outcome replay(const document& all, const schedule& along, replay_mode mode);

}  // namespace wedge::scenario
