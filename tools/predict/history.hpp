// The events of a trace as the prediction needs them: per thread, with their causes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "wedge/core/trace.hpp"

namespace wedge::predict {

/// How many events of each thread come before; by place of the thread.
using clock_vector = std::vector<std::uint32_t>;

/// Takes the maximum of each.
void join(clock_vector& into, const clock_vector& other);

inline constexpr std::size_t no_event = static_cast<std::size_t>(-1);

/// A hold of a lock: an acquire, and the release that belongs to it.
struct critical_section {
    std::uint32_t thread = 0;  ///< place
    std::uint32_t lock = 0;    ///< place
    bool is_read = false;
    std::size_t acquire = no_event;   ///< event
    std::size_t release = no_event;   ///< event; none: held at the end of the trace
    std::uint32_t acquire_index = 0;  ///< within the thread, from 1
};

/// A lock that a thread holds.
struct history_hold {
    std::uint32_t lock = 0;  ///< place
    bool is_read = false;
    std::size_t section = 0;  ///< place in `history::sections`
    friend bool operator==(const history_hold& a, const history_hold& b) {
        return a.lock == b.lock && a.is_read == b.is_read;
    }
};

/// An acquire that may block forever while the thread holds other locks.
struct candidate {
    std::uint32_t thread = 0;
    std::uint32_t lock = 0;
    bool is_read = false;
    std::size_t event = 0;
    std::uint32_t index = 0;          ///< within the thread, from 1: first index that must not run
    std::vector<history_hold> holds;  ///< sorted by lock
};

/// What a trace says about causes. Event e of a thread is in a set of events that is closed under
/// causes if its index is at most the set's number for that thread.
struct history {
    std::vector<std::uint32_t> thread_numbers;  ///< by place
    std::vector<std::uint32_t> lock_numbers;
    std::vector<std::uint32_t> thread_of;               ///< by event
    std::vector<std::uint32_t> index_of;                ///< by event: within its thread, from 1
    std::vector<critical_section> sections;             ///< in the order of their acquires
    std::vector<std::vector<std::size_t>> sections_of;  ///< by thread
    std::vector<candidate> candidates;
    bool has_accesses = false;

    /// Returns the causes of an event and the event itself.
    clock_vector clock_of(std::size_t event) const;

    std::vector<std::uint32_t> version_of;  ///< by event: which of `versions` its causes are
    std::vector<clock_vector> versions;
};

/// @throws error  the trace contradicts itself
history history_of(const trace& recorded);

}  // namespace wedge::predict
