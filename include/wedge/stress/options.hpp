// How a workload is stressed, and what came of it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/chain_key.hpp"
#include "wedge/core/finding.hpp"
#include "wedge/core/level.hpp"
#include "wedge/stress/histogram.hpp"
#include "wedge/stress/load.hpp"
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
    stress_phase phase = stress_phase::steady;
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

    /// What the threads call if `calls` is empty; empty: every thread any action.
    std::vector<stress_role> roles = {};
    random_time holding = {};               ///< passed under each lock
    random_time thinking = {};              ///< passed between two calls
    std::vector<stress_phase> phases = {};  ///< equal parts of the time; empty: steady
    std::chrono::milliseconds warm_up{0};   ///< not counted; comes before `time`
    std::chrono::milliseconds interval{0};  ///< of the interval statistics; 0: none
    /// All threads run for this time, then all pause for it, so that they start together; 0: no
    /// pauses.
    std::chrono::milliseconds stutter{0};
    std::chrono::milliseconds shuffle{0};  ///< threads change processors so often; 0: never
    std::size_t recorded = 0;              ///< how many of the last steps of each thread are kept
    stress_placement placed = stress_placement::free;
};

/// The calls of an action.
struct action_usage {
    std::string name;
    histogram latencies;
};

/// A part of the time of a run.
struct stress_interval {
    std::chrono::milliseconds end{0};  ///< since the end of the warm-up
    std::uint64_t calls = 0;
    stress_phase phase = stress_phase::steady;
};

struct stress_outcome {
    outcome what;
    lock_statistics locks;
    std::uint64_t calls = 0;  ///< after the warm-up, as all that follows

    /// Some threads are stuck, and left behind with the state that they work on. They cannot be
    /// ended: print what must be printed, and call `_exit`.
    bool is_wedged = false;

    bool is_cut = false;  ///< ended early by `stop`
    std::chrono::milliseconds elapsed{0};
    std::vector<action_usage> actions;
    std::vector<std::uint64_t> calls_by_thread;
    std::vector<stress_interval> intervals;
    std::uint64_t rss_first = 0;  ///< the resident memory at the start, in KiB
    std::uint64_t rss_max = 0;    ///< the most at any look
    std::uint64_t rss_last = 0;
    /// Wedged: the calls of each thread that had not ended, innermost first, by the thread's name.
    std::vector<std::pair<std::string, std::vector<std::string>>> stacks;

    std::string trace;  ///< the steps that were recorded: see recorder.hpp

    double calls_per_second() const noexcept {
        return elapsed.count() == 0
                   ? 0
                   : static_cast<double>(calls) * 1000 / static_cast<double>(elapsed.count());
    }
    /// Returns Jain's index of the calls by thread: 1 if all threads made as many, 1/n if one
    /// thread made all.
    double fairness() const noexcept {
        double sum = 0;
        double squares = 0;
        for (const std::uint64_t each : calls_by_thread) {
            sum += static_cast<double>(each);
            squares += static_cast<double>(each) * static_cast<double>(each);
        }
        return squares == 0 ? 1 : sum * sum / (squares * double(calls_by_thread.size()));
    }
};

}  // namespace wedge
