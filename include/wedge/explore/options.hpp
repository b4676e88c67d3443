// How a workload is explored.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "wedge/core/level.hpp"
#include "wedge/workload/outcome.hpp"

namespace wedge {

static_assert(default_level::value != level::off,
              "exploration needs instrumented locks: WEDGE_LEVEL is 0");

enum class strategy : std::uint8_t {
    portfolio,    ///< the others in turn; ends when the exhaustive search has ended
    random,       ///< a random walk
    pct,          ///< random priorities that change at `depth - 1` steps
    pos,          ///< random priorities of operations
    urw,          ///< a random walk weighted by the steps that tasks have left
    surw,         ///< as urw, uniform over the steps on locks in cycles
    round_robin,  ///< each task in turn; looks for livelocks
    exhaustive,   ///< every schedule and choice, one of each set of equivalent ones
    states,       ///< every state once; for subjects that can tell their state, such as scenarios
};
inline constexpr const char* strategy_names[] = {
    "portfolio", "random", "pct", "pos", "urw", "surw", "round-robin", "exhaustive", "states"};

/// The kind of stacks that tasks run on.
enum class substrate : std::uint8_t {
    automatic,  ///< fibers if they are built in
    fibers,
    threads,  ///< real threads that pass a baton: true thread identity, 100 times slower
};
inline constexpr const char* substrate_names[] = {"automatic", "fibers", "threads"};

/// How a replay follows a schedule. A strict replay stops at the first step that cannot be taken. A
/// lenient one skips it, and goes on by itself after the end of the schedule.
enum class replay_mode : std::uint8_t { strict, lenient };

struct explore_options {
    strategy how = strategy::portfolio;
    std::uint64_t seed = 1;
    /// Of PCT: the number of steps that must come in one order, at least 1.
    std::uint32_t depth = 3;

    /// How often the exhaustive search may leave a task that could go on; none: no bound.
    std::optional<std::uint32_t> preemptions_max = std::nullopt;
    std::uint64_t executions_max = 100'000;

    std::uint32_t jobs = 1;  ///< threads; the outcome does not depend on their number
    /// Of one execution; a longer one is cut, and the outcome says so.
    std::uint64_t steps_max = 20'000;
    std::uint64_t steps_all_max = ~std::uint64_t{0};  ///< of all executions
    std::uint64_t states_max = 2'000'000;  ///< that a search over states keeps; at most some 400 MB
    substrate on = substrate::automatic;
    bool all_policies = false;                ///< of readers-writer locks
    bool spurious_wakeups = false;            ///< of conditions, at most one per task and execution
    const std::atomic<bool>* stop = nullptr;  ///< when it becomes true, the search ends early
    bool is_to_stop() const noexcept {
        return stop != nullptr && stop->load(std::memory_order_relaxed);
    }

    /// Called between executions, after a number of executions or steps, with what is known so far.
    void (*on_progress)(const outcome& so_far, void* data) = nullptr;
    void* progress_data = nullptr;
};

}  // namespace wedge
