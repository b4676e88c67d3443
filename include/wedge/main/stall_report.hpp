// What a subcommand does when a task of a workload reaches no step any more.
#pragma once

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <string>

#include <unistd.h>

#include "wedge/explore/engine/step_watch.hpp"
#include "wedge/main/subcommand.hpp"

namespace wedge {

inline constexpr std::uint32_t stall_seconds = 5;  // the default of `--watchdog`

/// Handles a stall: prints a report and ends the process with status 1.
///
/// The task's thread cannot go on, and may hold what the report needs, such as the allocator's
/// lock. Then SIGALRM ends the process after ten seconds.
///
/// @param report  (const outcome&): prints what was found; the stall is the first finding
template <class Report>
step_watchdog::handler ends_process(const invocation& call, Report report) {
    return [&call, report](const outcome& all) {
        std::signal(SIGALRM, SIG_DFL);
        ::alarm(10);
        call.complain(all.findings.front().what + "; the search ends here");
        call.guarded([&] { report(all); });
        std::fflush(call.out);
        std::fflush(call.err);
        ::_exit(exit_status::findings);
    };
}

}  // namespace wedge
