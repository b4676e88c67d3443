// Explores and replays a scenario, as `wedge::explore` and `wedge::replay` do with a workload.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "wedge/explore/search/dealt_exploration.hpp"
#include "wedge/explore/session.hpp"
#include "wedge/scenario/run.hpp"

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

/// Explores a scenario under the chosen strategy, without an order pass.
///
/// Blocks until the budget is spent or everything was tried.
///
/// @throws error  the strategy cannot search this scenario
inline outcome explore(const document& all, explore_options options, pressure under = {}) {
    options = with_choices_of_scenarios(options);
    outcome found = dealt_exploration(options).explore(
        [&] { return std::make_unique<scenario_subject>(all, under); });
    scenario_subject subject(all, under);
    options.executions_max = 1;
    session(subject, options).explore();  // to learn the names of its locks
    for (finding& each : found.findings) name_locks(each, subject.lock_titles());
    return found;
}

/// Repeats an execution. The findings are those of this execution.
inline outcome replay(const document& all, const schedule& along, replay_mode mode) {
    scenario_subject subject(all, pressure_of(along.program));
    outcome shown = session(subject, with_choices_of_scenarios({})).replay(along, mode);
    for (finding& each : shown.findings) name_locks(each, subject.lock_titles());
    return shown;
}

}  // namespace wedge::scenario
