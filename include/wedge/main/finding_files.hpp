// The record of a finding, saved beside its schedule: what `wedge nightly` and `wedge report` read.
#pragma once

#include <string>
#include <utility>

#include "wedge/explore/engine/subject.hpp"
#include "wedge/main/files.hpp"
#include "wedge/main/workload_entry.hpp"
#include "wedge/report/json.hpp"
#include "wedge/scenario/run.hpp"
#include "wedge/scenario/timeline.hpp"
#include "wedge/scenario/uses.hpp"
#include "wedge/workload/program.hpp"

namespace wedge {

/// Returns what the tasks did in a finding's execution; empty if it has no schedule.
inline timeline timeline_of(const workload_entry& workload, const finding& found) {
    if (found.best.decisions.empty()) return {};
    workload_subject what(*workload.fuzzing().type, parse_program(found.best.program));
    return scenario::timeline_of(what, found.best);
}
inline timeline timeline_of(const scenario::document& all, pressure under, const finding& found) {
    if (found.best.decisions.empty()) return {};
    scenario::scenario_subject what(all, under);
    timeline made = scenario::timeline_of(what, found.best);
    for (timeline_step& each : made.steps) each.object = scenario::written_class(each.object);
    return made;
}

/// Saves the record of a finding as `STEM.finding.json`. Write it last: a reader that sees it finds
/// the other files of the finding too.
///
/// @param stem  as `finding_path` makes it
inline void save_record(const std::string& stem, const finding_record& record) {
    write_text(stem + ".finding.json", json_of(record));
}

}  // namespace wedge
