// What an exploration knows about one finding.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/finding.hpp"
#include "wedge/core/schedule.hpp"
#include "wedge/core/signature.hpp"
#include "wedge/workload/outcome.hpp"

namespace wedge {

/// A finding, and the execution that showed it.
struct sighting {
    finding what;
    schedule shown;
    bool is_of_order = false;  ///< reported by the order checker, so it needs a verdict
    bool is_reached = false;   ///< an execution ended in it
    bool is_graded = false;    ///< graded by the checker of another session, which has seen more
    std::optional<finding> hang{};  ///< of an order finding that was reached: how tasks hung then

    bool needs_verdict() const noexcept {
        return is_of_order && !is_reached && what.judged == verdict::unresolved;
    }
};

/// Adds the instances of the locks that the tasks of a cycle wait for to `locks`.
inline void note_locks(const finding& cycle, std::vector<std::uint32_t>& locks) {
    for (const dependency& edge : cycle.cycle)
        if (std::find(locks.begin(), locks.end(), edge.wanted.instance) == locks.end())
            locks.push_back(edge.wanted.instance);
}

inline bool has(const std::vector<sighting>& all, const std::string& signature) {
    return std::any_of(all.begin(), all.end(),
                       [&](const sighting& each) { return each.what.signature == signature; });
}

/// @param otherwise  the result if the finding is refuted
inline result result_of(const sighting& each, result otherwise) {
    if (each.is_reached) return each.what.is_livelock() ? result::livelock : result::deadlock;
    if (each.what.kind == finding_kind::assertion) return result::exception;
    return each.what.judged == verdict::refuted ? otherwise : result::finding;
}

/// @param tasks  where the tasks stood when one of them threw
inline finding finding_of_exception(const std::string& thrown,
                                    const std::vector<task_report>& tasks) {
    finding made;
    made.kind = finding_kind::assertion;
    made.judged = verdict::observed;
    made.what = thrown;
    made.tasks = tasks;
    made.signature = exception_signature(thrown);
    return made;
}

}  // namespace wedge
