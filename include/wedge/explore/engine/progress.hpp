// When a search reports its progress.
#pragma once

#include <cstdint>

#include "wedge/explore/options.hpp"

namespace wedge {

/// Reports after a number of executions or steps, at most a twentieth of a second apart.
class progress_pace {
public:
    static constexpr std::uint64_t executions_between = 1024;
    static constexpr std::uint64_t steps_between = 65'536;

    explicit progress_pace(const explore_options& options)
        : is_wanted_(options.on_progress != nullptr) {}

    bool is_wanted() const noexcept { return is_wanted_; }

    /// Returns whether to report now, after this many in all.
    bool is_due(std::uint64_t executions, std::uint64_t steps) noexcept {
        if (executions < executions_ + executions_between && steps < steps_ + steps_between)
            return false;
        executions_ = executions;
        steps_ = steps;
        return is_wanted_;
    }

private:
    const bool is_wanted_;
    std::uint64_t executions_ = 0;  // when it was due last
    std::uint64_t steps_ = 0;
};

}  // namespace wedge
