// A report as a scenario: one party for each edge of the cycle.
#pragma once

#include <string>

#include "explain/report.hpp"

namespace wedge::explain {

/// What the report does not say and the scenario must.
struct scenario_plan {
    bool as_plain_locks = false;  ///< reclaim, fences and works too, for what has no other form
    bool with_primed = false;     ///< orders that only a function at boot states are taken for real
    bool with_writers = false;    ///< a writer of each lock of which only reads are known
    bool reads_held_locks = false;    ///< an acquire that the report does not show is a read
    bool with_second_task = false;    ///< each party twice, where one task does everything
    bool with_two_instances = false;  ///< of a class that is taken twice, in both orders
    std::string guard;  ///< a lock that all parties hold around theirs; empty: none is known
};

/// A lock that the task of the report holds, and that each other party may hold as well: the
/// function that takes it is in their stacks. A report does not list what they hold, so this is a
/// guess.
struct possible_guard {
    std::string lock;      ///< empty: there is none
    std::string function;  ///< that takes it
};
possible_guard guard_of(const report& from);

/// A scenario of what the report says, without `expect` lines; empty: there is none for this kind.
std::string scenario_of(const report& from, const scenario_plan& plan);

/// Locks of which the report does not show whether the first acquire of an edge reads.
bool has_unknown_modes(const report& from);

/// Whether every acquire of some lock is a read, as far as the report shows.
bool has_only_reads(const report& from);

/// Whether one task does all that the report shows, so that nothing can happen at once.
bool has_one_task(const report& from);

/// Whether an edge of the cycle is only stated at boot, against the documented order.
bool has_primed_edge(const report& from);

}  // namespace wedge::explain
