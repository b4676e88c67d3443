// A schedule: the recorded decisions of an execution. Replaying a schedule repeats the execution.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace wedge {

/// One decision of an engine: which task took the next visible step, or what `choose` returned.
struct decision {
    enum class sort : std::uint8_t { run, choose };

    sort what = sort::run;
    std::uint32_t value = 0;  ///< the task's ordinal, or the choice
    std::uint32_t of = 0;     ///< the number of alternatives of `choose`; 0 for `run`

    friend bool operator==(const decision&, const decision&) = default;
};

/// Choices that the lock models leave to the engine on request. They change which decisions are
/// made, so a replay needs the same options.
struct model_options {
    /// Readers-writer locks try every policy instead of that of their kind.
    bool all_policies = false;
    bool spurious_wakeups = false;  ///< at most one per task and execution, so that searches end

    friend bool operator==(const model_options&, const model_options&) = default;
};

/// Everything that repeats an execution, and the finding that the replay must show.
///
/// The text of a schedule is versioned and diffable; it has one line per switch
/// (core/schedule_text.hpp).
struct schedule {
    /// Version 1 had neither options nor livelocks, and can be read too.
    static constexpr unsigned version = 2;

    std::string workload;           ///< the workload's name; empty for plain lambdas
    std::uint64_t fingerprint = 0;  ///< of the workload's name and actions
    std::string program;            ///< which task calls what, such as `fault | evict(3)`
    std::string signature;          ///< of the finding that it must reproduce; may be empty
    std::vector<decision> decisions;
    model_options open{};
    std::size_t circle = 0;  ///< of a livelock: this number of last decisions repeats forever

    friend bool operator==(const schedule&, const schedule&) = default;

    /// Returns how often the running task changes.
    std::size_t switches() const noexcept {
        std::size_t count = 0;
        const decision* before = nullptr;
        for (const decision& d : decisions) {
            if (d.what != decision::sort::run) continue;
            if (before != nullptr && before->value != d.value) ++count;
            before = &d;
        }
        return count;
    }
};

}  // namespace wedge
