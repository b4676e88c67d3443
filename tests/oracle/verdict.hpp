// The outcome of a scenario, as the oracle and the engine both state it.
#pragma once

#include <cstdint>
#include <string>

#include "wedge/scenario/ast.hpp"

namespace oracle {

/// The outcomes, the worst first, then two answers that are no outcomes.
enum class verdict : std::uint8_t {
    deadlock,
    livelock,
    finding,  ///< an assertion that can fail
    sound,
    unresolved,  ///< too many states, or the budget of the engine is spent
    undefined,   ///< the program does something undefined, such as unlocking a free lock
};
inline constexpr const char* verdict_names[] = {"deadlock", "livelock",   "finding",
                                                "sound",    "unresolved", "undefined"};
inline const char* name_of(verdict which) {
    return verdict_names[static_cast<unsigned>(which)];
}

/// The ways to ask the engine.
enum class way : std::uint8_t {
    states,      ///< `wedge check`
    threads,     ///< the same search, on real threads
    exhaustive,  ///< the stateless search
    portfolio,   ///< `wedge explore` with one job
    two_jobs,    ///< the portfolio, with `--jobs 2`
};
inline constexpr const char* way_names[] = {"check", "check on threads", "exhaustive", "portfolio",
                                            "--jobs 2"};

struct engine_answer {
    verdict what = verdict::unresolved;
    bool is_exhausted = false;
    bool is_out_of_memory = false;
    std::string text;  ///< one line per finding
};

/// Asks the engine. Findings of the order pass that no execution shows do not count.
///
/// @param executions_max  the engine's budget; behind it the answer is `unresolved`
engine_answer ask_engine(const wedge::scenario::document& all, way how,
                         std::uint64_t executions_max);

}  // namespace oracle
