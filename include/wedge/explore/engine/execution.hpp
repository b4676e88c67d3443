// The result of one execution.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "wedge/core/finding.hpp"

namespace wedge {

/// How an execution ended.
enum class ending : std::uint8_t {
    complete,  ///< all tasks ended
    deadlock,  ///< no task could go on
    livelock,  ///< all tasks that could go on retried forever
    threw,     ///< an action or the check threw
    pruned,    ///< the strategy gave it up
    bounded,   ///< it took too many steps
    differs,   ///< it behaved differently from an earlier one with equal decisions
};

struct execution_record {
    ending how = ending::complete;
    std::uint64_t steps = 0;
    std::shared_ptr<const finding> stuck;  ///< ending::deadlock or ending::livelock
    std::uint64_t round = 0;         ///< ending::livelock: the number of steps of the last round
    std::string thrown;              ///< ending::threw: which task threw what
    std::uint32_t left = 0;          ///< the stacks that could not be unwound
    std::string first_left;          ///< the task of the first of them
    bool is_foreign = false;         ///< ending::threw: since a foreign thread took part
    bool leaves_out = false;         ///< a delayed item queued itself, and was not run again
    std::vector<task_report> tasks;  ///< ending::threw: where all tasks stood then
};

}  // namespace wedge
