// A schedule: the recorded answers of an execution, which repeat it when replayed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace wedge {

/// One answer of an engine: which task ran the next visible step, or what `choose` returned.
struct decision {
    enum class sort : std::uint8_t { run, choose };

    sort what = sort::run;
    std::uint32_t value = 0;  ///< the task's ordinal, or the choice
    std::uint32_t of = 0;     ///< how many alternatives `choose` had; 0 for `run`

    friend bool operator==(const decision&, const decision&) = default;
};

/// What the model of locks leaves open when asked to: the engine answers, so a replay needs the
/// same.
struct model_options {
    bool all_policies = false;      ///< readers-writer locks: every policy, else that of the kind
    bool spurious_wakeups = false;  ///< at most one of a task and execution, so that searches end

    friend bool operator==(const model_options&, const model_options&) = default;
};

/// What is needed to repeat an execution, and what it must show then.
///
/// Its text is versioned, diffable and has one line a switch (event/schedule_text.hpp).
struct schedule {
    static constexpr unsigned version = 2;  ///< 1 had neither options nor circles; it is read too

    std::string workload;           ///< its name, or empty for plain lambdas
    std::uint64_t fingerprint = 0;  ///< of the workload's name and actions
    std::string program;            ///< who calls what, as `fault | evict(3)`
    std::string signature;          ///< of the finding that it must reproduce; may be empty
    std::vector<decision> decisions;
    model_options open{};
    std::size_t circle = 0;  ///< of a livelock: so many of the last decisions repeat for ever

    friend bool operator==(const schedule&, const schedule&) = default;

    /// The changes from one task to another, of all `run` decisions.
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
