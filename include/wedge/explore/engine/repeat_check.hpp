// Checks whether the executions of a subject repeat themselves.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "wedge/explore/engine/controller.hpp"
#include "wedge/explore/options.hpp"
#include "wedge/explore/search/repetition.hpp"

namespace wedge {

/// Runs a sample of executions twice: the first ones, one of many later ones, and each that has
/// found something. The controller compares them, and all others as far as they begin alike; those
/// of random searches hardly do, so there it only compares the ones that are run twice.
class repeat_check {
public:
    repeat_check(controller& control, strategy how)
        : control_(control), is_random_(is_random(how)) {}

    /// Before each execution of the controller.
    ///
    /// @param number  of that execution, from 1
    void before(std::uint64_t number) {
        if (is_random_) control_.notes().trace_next(is_due(number));
    }

    /// Called after each execution of the controller.
    ///
    /// @param number  the number of executions so far
    /// @return a finding, if the execution differs from an earlier one or does not repeat
    std::optional<finding> after(const execution_record& done, std::uint64_t number,
                                 bool has_found) {
        if (!control_.notes().are_traces_kept()) return std::nullopt;
        if (done.how == ending::differs) return explained(control_.decisions());
        if (!has_found && !is_due(number)) return std::nullopt;
        const std::vector<decision> decisions = control_.decisions();
        trace_again(decisions);
        return repeats(decisions) ? std::nullopt : std::optional(explained(control_.decisions()));
    }

    /// Called when everything was tried: runs the last execution several times more, as there may
    /// have been few executions.
    std::optional<finding> at_the_end() {
        if (!control_.notes().are_traces_kept()) return std::nullopt;
        const std::vector<decision> decisions = control_.decisions();
        trace_again(decisions);
        for (int i = 0; i < tries_at_the_end; ++i)
            if (!repeats(decisions)) return explained(control_.decisions());
        return std::nullopt;
    }

private:
    static constexpr std::uint64_t all_of_the_first = 32;
    static constexpr std::uint64_t one_of_later = 64;
    static constexpr int tries_at_the_end = 16;
    static constexpr int tries_to_explain = 8;

    /// Guided searches need the trace of each execution: they prove, and what they prove rests on
    /// it.
    static bool is_random(strategy how) noexcept {
        return how != strategy::exhaustive && how != strategy::states && how != strategy::portfolio;
    }
    static bool is_due(std::uint64_t number) noexcept {
        return number <= all_of_the_first || number % one_of_later == 0;
    }

    /// Runs an execution once more where it has left no trace.
    void trace_again(const std::vector<decision>& decisions) {
        if (control_.notes().is_trace()) return;
        control_.notes().trace_next(true);
        repetition how(decisions);
        control_.run(how);
    }
    bool repeats(const std::vector<decision>& decisions) {
        repetition how(decisions);
        return control_.run(how).how != ending::differs;
    }

    /// Returns the finding about the controller's last execution, which differs from the one before
    /// it.
    finding explained(const std::vector<decision>& decisions) {
        finding made = control_.notes().difference();
        bool is_alike = true;
        for (int i = 0; i < tries_to_explain && is_alike; ++i) is_alike = repeats(decisions);
        made.reason = source_of_difference(is_alike);
        return made;
    }

    controller& control_;
    const bool is_random_;
};

}  // namespace wedge
