// How a workload is stressed, and what came of it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "wedge/core/chain_key.hpp"
#include "wedge/core/finding.hpp"
#include "wedge/core/level.hpp"
#include "wedge/stress/perturb.hpp"
#include "wedge/stress/statistics.hpp"
#include "wedge/stress/thread_pool.hpp"
#include "wedge/workload/outcome.hpp"
#include "wedge/workload/program.hpp"

namespace wedge {

static_assert(default_level::value != level::off,
              "a stress run needs instrumented locks: WEDGE_LEVEL is 0");

/// The state of a running stress run.
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
    std::uint32_t arguments = 16;  ///< random arguments are below this
    std::size_t hog_mebibytes = 0;
    perturb_options pauses = {};
    evidence kept = evidence::classes;
    finding_sink* reports = nullptr;  ///< receives the order checker's findings at once

    std::chrono::milliseconds patience{10'000};  ///< a task that stands still this long has wedged
    std::chrono::milliseconds look_every{100};
    thread_pool* threads_of = nullptr;  ///< the threads to use; null: new ones, joined at the end
    const std::atomic<bool>* stop = nullptr;  ///< when it becomes true, the run ends early

    /// Called at every look of the watchdog.
    void (*on_progress)(const stress_progress& so_far, void* data) = nullptr;
    void* progress_data = nullptr;
};

struct stress_outcome {
    outcome what;
    lock_statistics locks;
    std::uint64_t calls = 0;

    /// Some threads are stuck, and left behind with the state that they work on. They cannot be
    /// ended: print what must be printed, and call `_exit`.
    bool is_wedged = false;
};

}  // namespace wedge
