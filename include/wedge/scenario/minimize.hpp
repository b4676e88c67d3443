// The smallest scenario that still shows what a scenario shows.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "wedge/scenario/check.hpp"
#include "wedge/scenario/reduce.hpp"

namespace wedge::scenario {

/// What must stay when a scenario is made smaller: the outcome, the finding that decides it, and
/// that the expectations are met if they were. No finding may come that was not there, so that
/// locks stay released and what stays is a scenario of its own.
class same_outcome {
public:
    explicit same_outcome(const check_result& of) : what_(of.what), is_met_(of.is_met) {
        for (const finding& each : of.found.findings) {
            if (wanted_.empty() && decides(each)) wanted_ = name(each);
            known_.push_back(name(each));
        }
    }

    /// Whether there is anything that can be kept: a sound scenario has nothing.
    bool is_of_findings() const noexcept { return !wanted_.empty(); }

    bool holds(const check_result& of) const {
        if (of.what != what_ || (is_met_ && !of.is_met)) return false;
        bool is_there = false;
        for (const finding& each : of.found.findings) {
            const std::string mine = name(each);
            if (std::find(known_.begin(), known_.end(), mine) == known_.end()) return false;
            is_there = is_there || mine == wanted_;
        }
        return is_there;
    }

private:
    static std::string name(const finding& each) {
        return std::string(name_of(each.kind)) + " " + name_of(each.judged) + " " + each.signature;
    }
    bool decides(const finding& each) const {
        if (what_ == name_of(result::deadlock)) return is_deadlock(each);
        if (what_ == name_of(result::livelock)) return each.kind == finding_kind::livelock;
        return what_ == name_of(result::finding) && each.judged != verdict::refuted;
    }

    const std::string what_;
    const bool is_met_;
    std::string wanted_;
    std::vector<std::string> known_;
};

/// How far it is; only for those who look on.
struct minimize_progress {
    std::uint64_t tried = 0;        ///< scenarios
    std::uint64_t statements = 0;  ///< of the smallest one
};

inline std::uint64_t statements_of(const document& all) {
    std::uint64_t count = 0;
    for (const declaration& each : all.all)
        for_each_statement(each.body, [&](const statement&) { ++count; });
    return count;
}

/// Makes a scenario as small as it gets. Blocks for about as long as a check, some hundred times;
/// when `options.explore.stop` turns true, the smallest one so far is returned.
///
/// A candidate that takes far longer to search than the scenario did is no simpler, and given up.
///
/// @param first  what `check` with these options says of it; it must be of findings
/// @param on_progress  (const minimize_progress&), after each scenario that was tried
template <class OnProgress>
document minimize(const document& all, const check_result& first, const check_options& options,
                  OnProgress on_progress) {
    constexpr std::uint64_t steps_min = 10'000;
    const same_outcome same(first);
    check_options each_time = options;
    explore_options& budget = each_time.explore;
    budget.steps_all_max = std::min(budget.steps_all_max, steps_min + 4 * first.found.steps);
    budget.on_progress = nullptr;
    minimize_progress so_far{0, statements_of(all)};
    const auto is_stopped = [&] { return budget.stop != nullptr && budget.stop->load(); };
    const auto keeps = [&](const document& tried) {
        if (is_stopped()) return false;
        const bool holds = same.holds(check(tried, each_time)) && !is_stopped();
        ++so_far.tried;
        if (holds) so_far.statements = statements_of(tried);
        on_progress(so_far);
        return holds;
    };
    return reducer(all, keeps).run();
}

}  // namespace wedge::scenario
