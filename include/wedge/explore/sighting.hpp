// What an exploration knows of one finding.
#pragma once

#include "wedge/event/finding.hpp"
#include "wedge/event/schedule.hpp"

namespace wedge {

/// A finding, and the execution that showed it.
struct sighting {
    finding what;
    schedule shown;
    bool is_of_order = false;  ///< a report of the order checker: it needs a verdict
    bool is_reached = false;   ///< an execution ended in it
    bool is_graded = false;    ///< by the checker of another session, which has seen more of it

    bool needs_verdict() const noexcept {
        return is_of_order && !is_reached && what.judged == verdict::unresolved;
    }
};

}  // namespace wedge
