// Stress: real threads call a workload's actions on one shared state, for a given time.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "wedge/base/level.hpp"
#include "wedge/event/finding.hpp"
#include "wedge/stress/perturb.hpp"
#include "wedge/stress/statistics.hpp"
#include "wedge/stress/thread_pool.hpp"
#include "wedge/task/chain_key.hpp"
#include "wedge/workload/outcome.hpp"
#include "wedge/workload/workload.hpp"

namespace wedge {

static_assert(default_level::value != level::off,
              "a stress run needs instrumented locks: WEDGE_LEVEL is 0");

/// What is known while a stress run goes on.
struct stress_progress {
    std::chrono::milliseconds elapsed{0};
    std::uint64_t calls = 0;
    std::size_t findings = 0;
};

struct stress_options {
    unsigned threads = 4;
    std::chrono::milliseconds time{10'000};
    std::uint64_t calls_max = 0;  ///< of each thread; 0: until the time is over
    std::uint64_t seed = 1;
    program calls =
        {};  ///< thread i repeats list i modulo its size; empty: any action, any argument
    std::uint32_t arguments = 16;  ///< the random ones are below this
    std::size_t hog_mebibytes = 0;
    perturb_options pauses = {};
    evidence kept = evidence::classes;
    finding_sink* reports = nullptr;  ///< hears at once what the order checker finds

    std::chrono::milliseconds patience{10'000};  ///< a task that stands still so long has wedged
    std::chrono::milliseconds look_every{100};
    thread_pool* threads_of = nullptr;  ///< runs on these; null: on new ones, joined at its end
    const std::atomic<bool>* stop = nullptr;  ///< when it turns true, the run ends early

    /// Called at every look.
    void (*on_progress)(const stress_progress& so_far, void* data) = nullptr;
    void* progress_data = nullptr;
};

struct stress_outcome {
    outcome what;
    lock_statistics locks;
    std::uint64_t calls = 0;

    /// Threads are stuck and left behind with the state they work on. They cannot be ended:
    /// print what is to be printed, and `_exit`.
    bool is_wedged = false;
};

// One source of the program implements it (docs/embedding.md): the engine sees no user's type.
stress_outcome stress(const workload_type& of, const stress_options& options);

/// Stresses a workload. Blocks until the time is over and all threads have ended, or until some
/// of them can never end.
///
/// The order checker listens all the time; its findings have no verdict here unless the deadlock
/// happens.
///
/// @throws error  the program calls an action that there is not
template <workload W>
stress_outcome stress(const stress_options& options = {}) {
    return stress(type_of<W>, options);
}

}  // namespace wedge

#if defined(WEDGE_IMPLEMENT)
#include "wedge/stress/implement.hpp"
#endif
