// What the tasks of one execution did, step by step, as a value for pictures and for JSON.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace wedge {

/// One step of a task in a timeline.
struct timeline_step {
    std::size_t task = 0;    ///< the place of the task in `timeline::tasks`
    const char* does = "";   ///< a word of `timeline_words`
    std::string object{};    ///< the lock, the condition, the context or the other task
    bool is_shared = false;  ///< of a lock: it is taken shared
    std::string where{};     ///< `file:line`; empty: unknown
};

/// An execution as a list of steps in the order in which they happened. A task whose last step is
/// `wants` or `waits` never went on.
struct timeline {
    std::vector<std::string> tasks;
    std::vector<timeline_step> steps;
};

/// What a step of a timeline can do: the values of `timeline_step::does`.
inline constexpr const char* timeline_words[] = {
    "wants",     // asks for a lock, and waits until it `takes` it
    "takes",     // has the lock
    "misses",    // a try or a timed wait that failed
    "releases",  // gives the lock back
    "waits",     // for a condition, a completion or a fence
    "wakes",     // from `waits`
    "notifies",  // the tasks that wait
    "joins",     // waits for the end of another task
    "enters",    // a context, such as an interrupt
    "leaves",    // the context
    "ends",      // the task is over
};

}  // namespace wedge
