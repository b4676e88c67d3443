// Checks a scenario: the order, the exploration, and its expectations.
#pragma once

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "wedge/scenario/explore.hpp"
#include "wedge/scenario/order_walk.hpp"

namespace wedge::scenario {

struct check_options {
    explore_options explore;
    bool is_order_only = false;
    bool is_stateless = false;  ///< search over schedules even if states could be compared
    pressure under{};           ///< off: allocations depend on the zone alone
};

struct check_result {
    std::string what;  ///< the outcome's word: deadlock, finding, unresolved, sound
    std::vector<std::string> expected;
    bool is_met = false;
    bool is_allowed = false;  ///< met only if known findings do not count
    outcome found;            ///< its locks carry the names of their classes
    lock_titles titles;
    std::vector<dependency> lock_pairs;  ///< of the text, on every path of each block
};

/// Returns whether the finding says that tasks wait for each other forever.
inline bool is_deadlock(const finding& each) {
    if (each.is_livelock()) return false;
    return each.kind == finding_kind::deadlock || each.judged == verdict::confirmed ||
           (each.judged == verdict::observed && each.is_stuck());
}

namespace detail {

/// The `expect` lines, compared with what was found.
class expectations {
public:
    expectations(const document& all, const std::string& what, const outcome& found)
        : what_(what), found_(found) {
        for (const declaration& each : all.all)
            if (each.what == declares::expect) lines_.push_back(&each);
    }

    std::vector<std::string> words() const {
        std::vector<std::string> all;
        for (const declaration* each : lines_) all.push_back(text_of(*each));
        if (all.empty()) all.emplace_back("sound");
        return all;
    }

    bool are_met() const {
        if (lines_.empty()) return what_ == "sound";
        return std::all_of(lines_.begin(), lines_.end(),
                           [&](const declaration* each) { return is_met(*each); }) &&
               std::all_of(found_.findings.begin(), found_.findings.end(),
                           [&](const finding& each) { return is_expected(each); });
    }

private:
    static std::string text_of(const declaration& each) {
        std::string text(expect_words[static_cast<std::size_t>(each.expected)]);
        if (each.expected == expects::finding)
            text += std::string(" ") + name_of(each.kind_expected);
        return text;
    }

    bool is_met(const declaration& line) const {
        const std::vector<finding>& all = found_.findings;
        switch (line.expected) {
            case expects::sound: return what_ == "sound";
            case expects::unresolved: return what_ == "unresolved";
            case expects::deadlock: return std::any_of(all.begin(), all.end(), &is_deadlock);
            case expects::livelock: return std::ranges::any_of(all, &finding::is_livelock);
            case expects::finding: break;
        }
        return std::any_of(all.begin(), all.end(),
                           [&](const finding& each) { return each.kind == line.kind_expected; });
    }

    bool has_line(expects what) const {
        return std::any_of(lines_.begin(), lines_.end(),
                           [&](const declaration* each) { return each->expected == what; });
    }
    bool has_kind(finding_kind kind) const {
        return std::any_of(lines_.begin(), lines_.end(), [&](const declaration* each) {
            return each->expected == expects::finding && each->kind_expected == kind;
        });
    }

    /// Returns whether an `expect` line allows the finding. Deadlocks, livelocks and observed
    /// findings need one.
    bool is_expected(const finding& each) const {
        if (is_deadlock(each))
            return has_line(expects::deadlock) || has_kind(finding_kind::deadlock);
        if (each.is_livelock())
            return has_line(expects::livelock) || has_kind(finding_kind::livelock);
        return each.judged != verdict::observed || has_kind(each.kind);
    }

    const std::string& what_;
    const outcome& found_;
    std::vector<const declaration*> lines_;
};

/// Returns the outcome of the order pass alone.
inline outcome outcome_of_order(std::vector<finding> found, bool is_stopped) {
    outcome all;
    all.what = is_stopped ? result::unresolved : result::sound;
    for (finding& each : found) {
        if (each.judged != verdict::refuted) all.what = result::finding;
        all.findings.push_back(std::move(each));
    }
    return all;
}

}  // namespace detail

/// Runs the order pass and the exploration, and compares the result with the expectations.
///
/// @param order  of this document, not run yet; afterwards it knows the dependencies
inline check_result check(const document& all, order_walk& order, const check_options& options) {
    check_result result;
    std::vector<finding> seen = order.run(options.explore.stop);
    result.titles = order.titles();
    result.lock_pairs = order.lock_pairs();
    if (options.is_order_only) {
        const std::atomic<bool>* const stop = options.explore.stop;
        result.found = detail::outcome_of_order(std::move(seen), stop != nullptr && stop->load());
    } else {
        scenario_subject subject(all, options.under);
        explore_options how = with_choices_of_scenarios(options.explore);
        const bool may_compare = !options.is_stateless && subject.state();
        if (how.how == strategy::portfolio && may_compare) how.how = strategy::states;
        session exploration(subject, how);
        for (finding& each : seen) exploration.add(std::move(each));
        result.found = exploration.explore();
    }
    // A failed assertion is a finding like others.
    if (result.found.what == wedge::result::exception) result.found.what = wedge::result::finding;
    result.what = name_of(result.found.what);
    const detail::expectations expected(all, result.what, result.found);
    result.expected = expected.words();
    result.is_met = expected.are_met();
    return result;
}
/// Judges a result again as if its allowed findings had not been found.
inline void judge_without_allowed(const document& all, check_result& result) {
    if (result.is_met) return;
    outcome left = result.found;
    if (std::erase_if(left.findings, [](const finding& each) { return each.is_allowed; }) == 0)
        return;
    std::string what = "sound";
    for (const finding& each : left.findings) {
        if (each.judged == verdict::refuted) continue;
        const bool is_worse = what == "sound" || what == "unresolved";
        if (is_deadlock(each)) {
            what = "deadlock";
        } else if (what != "deadlock" && each.is_livelock()) {
            what = "livelock";
        } else if (is_worse) {
            what = each.judged == verdict::unresolved ? "unresolved" : "finding";
        }
    }
    result.is_met = result.is_allowed = detail::expectations(all, what, left).are_met();
}

inline check_result check(const document& all, const check_options& options) {
    order_walk order(all);
    return check(all, order, options);
}

}  // namespace wedge::scenario
