// Checks whether the executions of a subject repeat themselves.
#pragma once

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "wedge/core/process_threads.hpp"
#include "wedge/explore/engine/controller.hpp"
#include "wedge/explore/engine/disturbance.hpp"
#include "wedge/explore/options.hpp"
#include "wedge/explore/search/repetition.hpp"

namespace wedge {

/// Runs a sample of executions twice: the first ones, one of many later ones, and each that has
/// found something. The controller compares them, and all others as far as they begin alike; those
/// of random searches hardly do, so there it only compares the ones that are run twice.
class repeat_check {
public:
    repeat_check(controller& control, const subject& of, strategy how)
        : control_(control), is_code_(of.facts().has_unseen_state()), is_random_(is_random(how)) {}

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
        if (is_code_ && std::has_single_bit(number)) keep(control_.decisions());
        if (!has_found && !is_due(number)) return std::nullopt;
        const std::vector<decision> decisions = control_.decisions();
        trace_again(decisions);
        return repeats(decisions) ? std::nullopt : std::optional(explained(control_.decisions()));
    }

    /// Called when everything was tried. There may have been few executions, so it runs the last
    /// one several times more. Of C++ code it also runs some earlier ones again, and with other
    /// addresses of the heap and at another pace.
    std::optional<finding> at_the_end() {
        if (!control_.notes().are_traces_kept()) return std::nullopt;
        const std::vector<decision> last = control_.decisions();
        trace_again(last);
        for (unsigned i = 0; i < tries_at_the_end; ++i)
            if (!repeats(last)) return explained(control_.decisions());
        if (!is_code_) return std::nullopt;
        keep(last);
        for (const std::vector<decision>& each : kept_)
            for (std::size_t i = 0; i < tries_of(each); ++i)
                if (!repeats_disturbed(each, i)) return explained(control_.decisions());
        return repeats_slowly(last) ? std::nullopt : std::optional(explained(control_.decisions()));
    }

    /// Whether each execution that `at_the_end` watched had a thread that it has started itself and
    /// that is no task.
    bool has_foreign_thread() const noexcept { return has_foreign_thread_; }

private:
    static constexpr std::uint64_t all_of_the_first = 32;
    static constexpr std::uint64_t one_of_later = 64;
    static constexpr unsigned tries_at_the_end = 16;
    static constexpr unsigned tries_to_explain = 8;
    static constexpr unsigned slow_tries = 4;
    static constexpr std::size_t kept_max = 8;
    static constexpr std::size_t steps_per_kept = 500;

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
    bool repeats_slowly(const std::vector<decision>& decisions) {
        has_foreign_thread_ = true;
        for (unsigned i = 0; i < slow_tries; ++i) {
            const std::vector<long> before = detail::threads_of_process();
            repetition how(decisions, std::chrono::microseconds(250));
            if (control_.run(how).how == ending::differs) return false;
            const std::vector<long>& now = how.threads();
            const bool has_new =
                !std::includes(before.begin(), before.end(), now.begin(), now.end());
            has_foreign_thread_ = has_foreign_thread_ && has_new;
            // Without threads only the clock could make a difference, and each try shows it.
            if (!detail::may_have_started_threads()) break;
        }
        return true;
    }
    /// @param number  each second repetition gets other addresses, of large blocks each eighth
    bool repeats_disturbed(const std::vector<decision>& decisions, std::size_t number) {
        if (is_code_ && number % 2 == 1) shuffle_heap(number, number % 8 == 1 ? 1024 : 256);
        return repeats(decisions);
    }

    void keep(std::vector<decision> decisions) {
        if (kept_.size() == kept_max) kept_.erase(kept_.begin());
        kept_.push_back(std::move(decisions));
    }
    static std::size_t tries_of(const std::vector<decision>& decisions) noexcept {
        return std::clamp<std::size_t>(steps_per_kept / (decisions.size() + 1), 4, 64);
    }

    /// Returns the finding about the controller's last execution, which differs from the one before
    /// it.
    finding explained(const std::vector<decision>& decisions) {
        finding made = control_.notes().difference();
        bool is_alike = true;
        for (unsigned i = 0; i < tries_to_explain && is_alike; ++i)
            is_alike = repeats_disturbed(decisions, i);
        made.reason = source_of_difference(is_alike);
        return made;
    }

    controller& control_;
    const bool is_code_;
    const bool is_random_;
    bool has_foreign_thread_ = false;
    std::vector<std::vector<decision>> kept_;  // of some executions, to run them again
};

}  // namespace wedge
