// The formats of a report.
#pragma once

#include <string>

#include "report/sources.hpp"

namespace wedge::report_files {

/// Returns the page: one HTML file that needs nothing else.
std::string html_of(const shown_run& all);

/// Returns SARIF 2.1.0: a result per finding, with a thread flow per task.
std::string sarif_of(const shown_run& all);

/// Returns JUnit's XML: a test case per statement of a command, and per job and finding of a night.
std::string junit_of(const shown_run& all);

/// Returns the schedules as trace events, which Perfetto and chrome://tracing show. One step takes
/// a millisecond, since steps have no duration.
std::string trace_of(const shown_run& all);

}  // namespace wedge::report_files
