// A recorded trace of steps on locks (docs/traces.md): its events, reading and writing.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace wedge::predict {

/// What a thread did.
enum class trace_op : std::uint8_t {
    request,  ///< wants a lock, and waits for it
    request_read,
    acquire,        ///< has it for writing
    read,           ///< has it for reading
    timed_acquire,  ///< has it, by a wait that could have given up
    timed_read,
    try_acquire,  ///< has it, by a trylock
    try_read,
    try_failed,  ///< a trylock failed
    give_up,     ///< a timed wait failed
    release,
    wait,    ///< waits for a condition, and releases the lock
    wake,    ///< the wait is over, and has the lock again
    notify,  ///< wakes a waiter of a condition
    notify_all,
    up,     ///< gives a unit of a semaphore, or arrives at a barrier
    down,   ///< takes a unit, or leaves a barrier
    spawn,  ///< starts a thread
    join,   ///< has waited for the end of a thread
    end,    ///< is at its end
    load,   ///< reads a variable
    store,  ///< writes a variable
};
inline constexpr const char* trace_op_names[] = {
    "request",     "request_read", "acquire",    "read",    "timed_acquire", "timed_read",
    "try_acquire", "try_read",     "try_failed", "give_up", "release",       "wait",
    "wake",        "notify",       "notify_all", "up",      "down",          "spawn",
    "join",        "end",          "load",       "store"};
inline constexpr std::size_t trace_ops = sizeof trace_op_names / sizeof *trace_op_names;

/// One step of a thread. `object` is a lock, a condition, a semaphore, a thread or a variable; each
/// sort has numbers of its own.
struct trace_event {
    std::uint32_t thread = 0;
    trace_op op{};
    std::uint32_t object = 0;
    std::uint32_t lock = 0;  ///< of `wait` and `wake`
    std::uint32_t site = 0;  ///< 0: unknown
    std::uint64_t line = 0;  ///< in the file

    friend bool operator==(const trace_event&, const trace_event&) = default;
};

/// A trace. The order of the events is the order in which they happened.
struct trace {
    std::vector<trace_event> events;
    std::map<std::uint32_t, std::string> threads;  ///< names, as far as they are known
    std::map<std::uint32_t, std::string> locks;    ///< `mutex NAME`
    std::map<std::uint32_t, std::string> sites;
};

/// Reads a trace.
///
/// @param name  of the file, for messages
/// @throws error  NAME:LINE: what is wrong
trace parse_trace(std::string_view text, const std::string& name);

std::string text_of(const trace& all);
std::string text_of(const trace_event& event);

}  // namespace wedge::predict
