// The sections of the table that bench_peers prints.
#pragma once

#include <string>
#include <vector>

#include "paired.hpp"

namespace bench {

/// Comparisons that share their contenders, so that they fit into one table.
struct section {
    std::string title;
    std::string text;  ///< one line below the title
    std::vector<comparison> all;
    time_of clock = time_of::processor;
    double turn_ns = 1e6;
    bool has_second_thread = false;    ///< another thread of the process waits meanwhile
    bool counts_instructions = false;  ///< only for work on one thread
    bool has_outer_peers = false;      ///< the first contender also runs under Helgrind, DRD, TSan
};

/// A lock and unlock that no other thread wants.
section uncontended(bool has_second_thread);
/// A lock class and an order of two classes that the checker has not seen yet.
section first_sight();
/// Threads that want the same lock, and threads that do not.
section contended();
/// Executions of small programs under control.
section executions();
/// Searches over all states of scenarios.
section state_searches();

/// Returns how many executions exhaust small programs, as a Markdown table, beside the number of
/// orders of their critical sections.
std::string exhausted_beside_theory();

#if defined(WEDGE_BENCH_RELACY)
/// Two or three tasks lock A and B in order, under relacy's random scheduler.
contender relacy_ordered(int tasks);
#endif

}  // namespace bench
