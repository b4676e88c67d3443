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
    portfolio,    ///< the others in turn; ends when the exhaustive one has ended
    random,       ///< a random walk
    pct,          ///< random priorities that change at `depth - 1` steps
    pos,          ///< random priorities of operations
    urw,          ///< a random walk by the steps that tasks have left
    surw,         ///< the same, uniform over the steps on locks in cycles
    round_robin,  ///< each task in turn: looks for livelocks
    exhaustive,   ///< every schedule and choice, one of each set that are equal
    states,       ///< every state once; for subjects that can tell theirs, as scenarios
};
inline constexpr const char* strategy_names[] = {
    "portfolio", "random", "pct", "pos", "urw", "surw", "round-robin", "exhaustive", "states"};

/// What carries the tasks.
enum class substrate : std::uint8_t {
    automatic,  ///< fibers where they are built in
    fibers,
    threads,  ///< real threads that hand a baton round: true thread identity, 100 times slower
};
inline constexpr const char* substrate_names[] = {"automatic", "fibers", "threads"};

/// How a schedule is followed. Strict stops at the first step that cannot be taken; lenient skips
/// it, and goes on by itself when the schedule has ended.
enum class replay_mode : std::uint8_t { strict, lenient };

struct explore_options {
    strategy how = strategy::portfolio;
    std::uint64_t seed = 1;
    std::uint32_t depth = 3;  ///< of PCT: how many steps must come in one order; from 1 on

    /// The exhaustive search leaves a task that could go on at most so often; none: no bound.
    std::optional<std::uint32_t> preemptions_max = std::nullopt;
    std::uint64_t executions_max = 100'000;

    std::uint32_t jobs = 1;            ///< threads; the outcome is the same for any number of them
    std::uint64_t steps_max = 20'000;  ///< of one execution; a longer one is cut, and said
    std::uint64_t steps_all_max = ~std::uint64_t{0};  ///< of all executions
    std::uint64_t states_max = 2'000'000;  ///< a search over states keeps; some 400 MB at most
    substrate on = substrate::automatic;
    bool all_policies = false;                ///< of readers-writer locks
    bool spurious_wakeups = false;            ///< of conditions, one a task and execution
    const std::atomic<bool>* stop = nullptr;  ///< when it turns true, the search ends early
    bool is_to_stop() const noexcept {
        return stop != nullptr && stop->load(std::memory_order_relaxed);
    }

    /// Called between executions, after so many of them or of their steps, with what is known so
    /// far.
    void (*on_progress)(const outcome& so_far, void* data) = nullptr;
    void* progress_data = nullptr;
};

}  // namespace wedge
