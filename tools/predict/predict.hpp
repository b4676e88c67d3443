// Sync-preserving deadlock prediction: which deadlocks a reordering of one recorded trace has.
//
// Tunç, Mathur, Pavlogiannis, Viswanathan: "Sound Dynamic Deadlock Prediction in Linear Time", PLDI
// 2023. A reordering is sync-preserving if critical sections of one lock keep their order in the
// trace, and each thread does what it did. So each prediction can happen, as far as the threads
// share only what the trace shows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "wedge/core/trace.hpp"

namespace wedge::predict {

/// A thread of a deadlock: it holds a lock and wants the next one.
struct predicted_wait {
    std::uint32_t thread = 0;
    std::uint32_t held = 0;  ///< the lock that another thread of the deadlock wants
    std::uint32_t wanted = 0;
    std::size_t held_at = 0;    ///< the event of the acquire, in `trace::events`
    std::size_t wanted_at = 0;  ///< the event of the request or acquire
};

/// A deadlock, and an order of the events that leads to it.
struct prediction {
    std::vector<predicted_wait> waits;  ///< each wants what the next one holds
    std::vector<std::size_t> witness;   ///< events before the waits, in an order that can happen
};

struct prediction_result {
    std::vector<prediction> deadlocks;  ///< one per pattern of threads, locks and held locks
    std::size_t acquires = 0;           ///< that may block while another lock is held
    std::size_t abstract_acquires = 0;  ///< of them, with different threads, locks or held locks
    std::size_t patterns = 0;           ///< cycles of abstract acquires
    bool has_accesses = false;          ///< the trace shows which variables were read and written
    bool has_more = false;              ///< there are more cycles than were tried
};

struct prediction_limits {
    std::size_t threads_max = 4;  ///< in one deadlock
    std::size_t patterns_max = 1'000'000;
};

/// Finds the deadlocks of all sync-preserving reorderings.
///
/// @throws error  the trace contradicts itself: a lock is acquired while another thread holds it
prediction_result predict(const trace& recorded, const prediction_limits& limits = {});

/// Returns a trace that leads to the deadlock: the witness, and then the requests that wait.
trace witness_of(const trace& recorded, const prediction& deadlock);

}  // namespace wedge::predict
