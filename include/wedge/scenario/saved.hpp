// The scenario that is saved beside a finding. It is checked first, so that it shows the finding.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wedge/core/hang.hpp"
#include "wedge/scenario/minimize.hpp"
#include "wedge/scenario/skeleton.hpp"

namespace wedge::scenario {

/// What a report prints instead of a scenario if the deadlock has none.
inline const std::string unsaid =
    "none, as it hangs on data, on loops or on what a scenario has no word for";

namespace detail {

/// Returns what the tasks of a hang wait for, by names of the program. A cycle starts at its least
/// node.
///
/// @param class_of  (const std::string& name) -> the class that the name stands for
template <class ClassOf>
std::vector<std::string> waited_for(const finding& found, ClassOf class_of) {
    const hang how = hang_of(found);
    const auto letter = [](mode as) { return as == mode::exclusive ? "E" : "S"; };
    std::vector<std::string> nodes;
    for (const hang_link& link : how.links) {
        constexpr std::string_view end = "the end of ";
        if (link.wanted)
            nodes.push_back(class_of(link.wanted->class_name) + "/" + letter(link.wanted->how));
        else if (link.waits_for.starts_with(end))
            nodes.emplace_back(end);
        else
            nodes.push_back(class_of(link.waits_for.substr(link.waits_for.find(' ') + 1)));
    }
    return in_least_order(how, std::move(nodes));
}

/// Tries one text for a finding, and checks whether it leads to the finding.
class saved_scenario {
public:
    saved_scenario(const finding& of, const recorded_run& run, const skeleton_terms& terms)
        : writer_(run, terms),
          wanted_(waited_for(of, [](const std::string& name) { return name; })) {}

    /// @return the smallest text that shows it; nothing if this skeleton does not
    std::optional<std::string> text(std::string_view head) {
        if (wanted_.empty()) return std::nullopt;
        try {
            document all = parse(writer_.write(head, {"deadlock"}), "saved.wedge");
            check_result first = check(all, budget(all_steps));
            if (!shows(first)) return std::nullopt;
            expect_what_happens(all, first);
            others_max_ = others(first);
            const document large = all;
            const document small = reducer(std::move(all), [&](const document& tried) {
                                       return is_as_good(tried);
                                   }).run();
            for (const document* const each : {&small, &large}) {
                const check_result last = check(*each, budget(all_steps));
                if (shows(last) && last.is_met) return to_string(*each);
            }
        } catch (const error&) {  // the language cannot express something in it
        }
        return std::nullopt;
    }

private:
    static constexpr std::uint64_t all_steps = 400'000;
    static constexpr unsigned tries_max = 400;

    static check_options budget(std::uint64_t steps) {
        check_options made;
        made.explore.executions_max = 50'000;
        made.explore.steps_max = 2'000;
        made.explore.steps_all_max = steps;
        return made;
    }

    bool is_it(const finding& each) const {
        return is_deadlock(each) && waited_for(each, [&](const std::string& name) {
                                        return writer_.class_of(name);
                                    }) == wanted_;
    }
    bool shows(const check_result& of) const {
        return of.found.what == result::deadlock &&
               std::any_of(of.found.findings.begin(), of.found.findings.end(),
                           [&](const finding& each) { return is_it(each); });
    }
    /// Returns the number of findings that the program did not show, refuted ones too: without the
    /// releases behind its hang, a task would seem to end with a lock held.
    std::size_t others(const check_result& of) const {
        return static_cast<std::size_t>(
            std::count_if(of.found.findings.begin(), of.found.findings.end(),
                          [&](const finding& each) { return !is_it(each); }));
    }

    bool is_as_good(const document& tried) {
        if (tries_++ == tries_max) gives_up_ = true;
        if (gives_up_) return false;
        const check_result of = check(tried, budget(all_steps / 20));
        return shows(of) && of.is_met && others(of) <= others_max_;
    }

    /// Adds expectations of what happens besides: a task that ends with a lock held is a finding
    /// too.
    static void expect_what_happens(document& all, const check_result& first) {
        std::vector<finding_kind> said;
        for (const finding& each : first.found.findings) {
            const bool is_said = std::find(said.begin(), said.end(), each.kind) != said.end();
            if (each.judged != verdict::observed || is_deadlock(each) || is_said) continue;
            said.push_back(each.kind);
            declaration line = all.all.back();
            line.expected = expects::finding;
            line.kind_expected = each.kind;
            line.before.clear();
            all.all.push_back(std::move(line));
        }
    }

    skeleton_writer writer_;
    const std::vector<std::string> wanted_;
    std::size_t others_max_ = 0;
    unsigned tries_ = 0;
    bool gives_up_ = false;
};

}  // namespace detail

/// Returns the tasks of a deadlock as a scenario: what they took, waited for and released, in their
/// order. `wedge check` of it leads to this deadlock; that was tried. Blocks for up to a few
/// seconds.
///
/// @param head  comment lines at the top
/// @return empty if it is no deadlock of an execution, or cannot be written as a scenario, since it
///     depends on data, on loops, or on something that the language lacks
inline std::string scenario_of(subject& what, const finding& of, std::string_view head) {
    if (!of.is_stuck() || of.is_livelock() || of.best.decisions.empty()) return {};
    const recorded_run run = record(what, of.best);
    std::set<std::string> hanging;
    for (const hang_link& link : hang_of(of).links) hanging.insert(link.task);
    const skeleton_terms all_terms[] = {{false, false, false, {}},   {false, false, true, {}},
                                        {false, true, false, {}},    {true, false, true, {}},
                                        {true, true, true, {}},      {false, false, true, hanging},
                                        {false, true, true, hanging}};
    for (const skeleton_terms& terms : all_terms)
        if (std::optional<std::string> text = detail::saved_scenario(of, run, terms).text(head))
            return *text;
    return {};
}

}  // namespace wedge::scenario
