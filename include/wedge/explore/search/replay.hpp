// Repeats a recorded schedule, strictly or as a list of hints.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "wedge/core/schedule.hpp"
#include "wedge/explore/options.hpp"
#include "wedge/explore/search/strategy.hpp"

namespace wedge {

/// Runs an execution along a schedule. After the last hint the running task goes on, else the first
/// one.
class schedule_replay final : public search_strategy {
public:
    /// @param circle  this number of last decisions is followed again and again
    schedule_replay(std::span<const decision> decisions, replay_mode mode, std::size_t circle = 0)
        : decisions_(decisions), mode_(mode), circle_(circle) {}

    bool new_execution() override { return !std::exchange(is_done_, true); }

    std::uint32_t next_task(const choice_point& at) override {
        const auto is_enabled = [&](std::uint32_t task) {
            return std::binary_search(at.enabled.begin(), at.enabled.end(), task);
        };
        while (at_ < decisions_.size()) {
            const decision& hint = decisions_[at_];
            if (hint.what == decision::sort::run && is_enabled(hint.value)) {
                follow();
                return hint.value;
            }
            const std::string why =
                hint.what == decision::sort::run
                    ? "task " + std::to_string(hint.value) + " cannot go on there"
                    : "it has a choice there, the program asks for a task";
            if (!skip(why)) return no_task;
        }
        ends_first_ = ends_first_ || diverged_.empty();
        if (!skip("it ends there, the program goes on")) return no_task;
        return is_enabled(at.running) ? at.running : at.enabled[0];
    }

    std::uint32_t choose(std::uint32_t n) override {
        if (at_ < decisions_.size() && decisions_[at_].what == decision::sort::choose) {
            const decision& hint = decisions_[at_];
            follow();
            if (hint.value < n && (hint.of == n || mode_ == replay_mode::lenient))
                return hint.value;
            diverge("the choice is among " + std::to_string(n) + " now");
            return 0;
        }
        diverge("the program asks for a choice there");
        return 0;
    }

    /// A livelock must be found again.
    bool looks_for_livelocks() const noexcept override { return true; }

    /// Returns where the execution first left the schedule; empty if it did not.
    const std::string& diverged() const noexcept { return diverged_; }
    /// Returns whether the execution followed the whole schedule, and went on.
    bool ends_first() const noexcept { return ends_first_; }
    /// Returns whether a strict replay was left before its end. The schedule of an execution that
    /// was given up ends before the program does.
    bool is_left_early() const noexcept { return !diverged_.empty() && at_ < decisions_.size(); }

private:
    void follow() {
        skipped_ = 0;
        next();
    }
    void next() {
        // A round in which no decision fits would never end.
        if (++at_ == decisions_.size() && skipped_ <= circle_) at_ -= circle_;
    }
    void diverge(const std::string& why) {
        if (diverged_.empty())
            diverged_ = "at decision " + std::to_string(at_ + 1) + " of " +
                        std::to_string(decisions_.size()) + ": " + why;
    }
    bool skip(const std::string& why) {
        diverge(why);
        if (mode_ == replay_mode::strict) return false;
        ++skipped_;
        if (at_ < decisions_.size()) next();
        return true;
    }

    std::span<const decision> decisions_;
    replay_mode mode_;
    const std::size_t circle_;
    std::size_t at_ = 0;
    std::size_t skipped_ = 0;  // since the last decision that was followed
    bool is_done_ = false;
    bool ends_first_ = false;
    std::string diverged_;
};

}  // namespace wedge
