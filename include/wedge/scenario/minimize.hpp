// Finds the smallest scenario that still shows what a scenario shows.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "wedge/scenario/check.hpp"
#include "wedge/scenario/reduce.hpp"

namespace wedge::scenario {

/// What must stay when a scenario is made smaller: the outcome, the finding that decides it, the
/// waits of other tasks in a livelock, and that the expectations are met if they were. No new
/// finding may appear, and no refuted finding may become real. So the result makes sense by itself,
/// for example its locks are released.
class same_outcome {
public:
    explicit same_outcome(const check_result& of) : what_(of.found.what), is_met_(of.is_met) {
        for (const finding& each : of.found.findings) {
            if (wanted_.empty() && decides(each)) {
                wanted_ = name(each);
                waits_ = waits_in(each);
            }
            known_[name(each)] = each.judged;
        }
    }

    /// Returns whether there is a finding to keep. A sound scenario has none.
    bool is_of_findings() const noexcept { return !wanted_.empty(); }

    bool holds(const check_result& of) const {
        if (of.found.what != what_ || (is_met_ && !of.is_met)) return false;
        bool is_there = false;
        for (const finding& each : of.found.findings) {
            const auto known = known_.find(name(each));
            if (known == known_.end()) return false;
            if (known->second == verdict::refuted && is_true(each)) return false;
            is_there = is_there || (decides(each) && is_wanted(each));
        }
        return is_there;
    }

    /// Returns whether a search that goes on could only say that the condition holds.
    bool is_reached(const outcome& so_far) const {
        return so_far.what == what_ && (what_ == result::deadlock || what_ == result::livelock) &&
               std::any_of(so_far.findings.begin(), so_far.findings.end(),
                           [&](const finding& each) { return is_wanted(each); });
    }

private:
    bool is_wanted(const finding& each) const {
        return name(each) == wanted_ && std::ranges::includes(waits_in(each), waits_);
    }
    /// The name of a livelock says only what is polled. Returns what other tasks wait for in it.
    static std::set<std::string> waits_in(const finding& each) {
        std::set<std::string> waits;
        if (!each.is_livelock()) return waits;
        for (const task_report& task : each.tasks)
            if (task.wanted)
                waits.insert(task.wanted->class_name);
            else if (!task.waits_for.empty())
                waits.insert(task.waits_for);
        return waits;
    }
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
    std::set<std::string> waits_;  // of the finding that is wanted
    std::map<std::string, verdict> known_;
};

/// The progress of minimising.
struct minimize_progress {
    std::uint64_t tried = 0;       ///< scenarios that were tried
    std::uint64_t statements = 0;  ///< statements of the smallest one
};

inline std::uint64_t statements_of(const document& all) {
    std::uint64_t count = 0;
    for (const declaration& each : all.all)
        for_each_statement(each.body, [&](const statement&) { ++count; });
    return count;
}

namespace detail {

/// Ends a search when the user asks for it, or when it has reached what must stay.
struct minimize_watch {
    const same_outcome& same;
    const std::atomic<bool>* asked;  ///< may be null
    bool is_early = true;            ///< also ends when it is reached
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

/// Makes a scenario as small as possible. Blocks for about as long as a few hundred checks. If
/// `options.explore.stop` becomes true, it returns the smallest scenario so far.
///
/// It gives up a candidate whose search is far larger than that of the scenario.
///
/// @param first  the result of `check` with these options; it must have findings
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
    watch.is_early = same.holds(reached);  // otherwise later findings count too
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
