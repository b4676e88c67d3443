// The smallest scenario that still shows what a scenario shows.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <string>

#include "wedge/scenario/check.hpp"
#include "wedge/scenario/reduce.hpp"

namespace wedge::scenario {

/// What must stay when a scenario is made smaller: the outcome, the finding that decides it, and
/// that the expectations are met if they were. No finding may come that was not there, nor one that
/// was refuted come true, so that what is left is a scenario of its own: locks stay released.
class same_outcome {
public:
    explicit same_outcome(const check_result& of) : what_(of.found.what), is_met_(of.is_met) {
        for (const finding& each : of.found.findings) {
            if (wanted_.empty() && decides(each)) wanted_ = name(each);
            known_[name(each)] = each.judged;
        }
    }

    /// Whether there is anything that can be kept: a sound scenario has nothing.
    bool is_of_findings() const noexcept { return !wanted_.empty(); }

    bool holds(const check_result& of) const {
        if (of.found.what != what_ || (is_met_ && !of.is_met)) return false;
        bool is_there = false;
        for (const finding& each : of.found.findings) {
            const auto known = known_.find(name(each));
            if (known == known_.end()) return false;
            if (known->second == verdict::refuted && is_true(each)) return false;
            is_there = is_there || (known->first == wanted_ && decides(each));
        }
        return is_there;
    }

    /// Whether a search that goes on can say no more than that it holds.
    bool is_reached(const outcome& so_far) const {
        return so_far.what == what_ && (what_ == result::deadlock || what_ == result::livelock) &&
               std::any_of(so_far.findings.begin(), so_far.findings.end(),
                           [&](const finding& each) { return name(each) == wanted_; });
    }

private:
    static std::string name(const finding& each) {
        return std::string(name_of(each.kind)) + " " + each.signature;
    }
    static bool is_true(const finding& each) noexcept {
        return each.judged == verdict::confirmed || each.judged == verdict::observed;
    }
    bool decides(const finding& each) const {
        if (what_ == result::deadlock) return is_deadlock(each);
        if (what_ == result::livelock) return each.is_livelock();
        return what_ == result::finding && each.judged != verdict::refuted;
    }

    const result what_;
    const bool is_met_;
    std::string wanted_;
    std::map<std::string, verdict> known_;
};

/// How far it is; only for those who look on.
struct minimize_progress {
    std::uint64_t tried = 0;       ///< scenarios
    std::uint64_t statements = 0;  ///< of the smallest one
};

inline std::uint64_t statements_of(const document& all) {
    std::uint64_t count = 0;
    for (const declaration& each : all.all)
        for_each_statement(each.body, [&](const statement&) { ++count; });
    return count;
}

namespace detail {

/// Ends a search when the user asks, or when it has reached what must stay.
struct minimize_watch {
    const same_outcome& same;
    const std::atomic<bool>* asked;  ///< may be null
    bool is_early = true;            ///< when it is reached, too
    std::atomic<bool> stop{false};

    bool is_asked() const { return asked != nullptr && asked->load(); }
    void add_to(explore_options& options) {
        stop = is_asked();
        options.stop = &stop;
        options.progress_data = this;
        options.on_progress = [](const outcome& so_far, void* self) {
            minimize_watch& mine = *static_cast<minimize_watch*>(self);
            const bool is_reached = mine.is_early && mine.same.is_reached(so_far);
            if (mine.is_asked() || is_reached) mine.stop = true;
        };
    }
};

}  // namespace detail

/// Makes a scenario as small as it gets. Blocks for about as long as a check, some hundred times;
/// when `options.explore.stop` turns true, the smallest one so far is returned.
///
/// A candidate in which far more must be searched than in the scenario is no simpler, and given up.
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
    detail::minimize_watch watch{same, options.explore.stop};
    watch.add_to(budget);
    const check_result reached = check(all, each_time);
    watch.is_early = same.holds(reached);  // else what comes later counts, too
    budget.steps_all_max = std::min(budget.steps_all_max,
                                    steps_min + 4 * (watch.is_early ? reached : first).found.steps);
    minimize_progress so_far{0, statements_of(all)};
    const auto keeps = [&](const document& tried) {
        if (watch.is_asked()) return false;
        watch.add_to(budget);
        const bool holds = same.holds(check(tried, each_time)) && !watch.is_asked();
        ++so_far.tried;
        if (holds) so_far.statements = statements_of(tried);
        on_progress(so_far);
        return holds;
    };
    return reducer(all, keeps).run();
}

}  // namespace wedge::scenario
