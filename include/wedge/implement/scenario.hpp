// The engines behind scenario/check.hpp, explore.hpp and certificate.hpp: one source of a program
// includes this header.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/schedule_text.hpp"
#include "wedge/explore/engine/controller.hpp"
#include "wedge/explore/search/closed_set.hpp"
#include "wedge/explore/search/dealt_exploration.hpp"
#include "wedge/explore/session.hpp"
#include "wedge/scenario/certificate.hpp"
#include "wedge/scenario/check.hpp"
#include "wedge/scenario/explore.hpp"
#include "wedge/scenario/order_walk.hpp"
#include "wedge/scenario/run.hpp"
#include "wedge/verify/certificate.hpp"

namespace wedge::scenario {

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

[[gnu::weak]] outcome explore(const document& all, const explore_options& asked, pressure under) {
    explore_options options = with_choices_of_scenarios(asked);
    outcome found = dealt_exploration(options).explore(
        [&] { return std::make_unique<scenario_subject>(all, under); });
    scenario_subject subject(all, under);
    options.executions_max = 1;
    session(subject, options).explore();  // to learn the names of its locks
    for (finding& each : found.findings) name_locks(each, subject.lock_titles());
    return found;
}

[[gnu::weak]] outcome replay(const document& all, const schedule& along, replay_mode mode) {
    scenario_subject subject(all, pressure_of(along.program));
    outcome shown = session(subject, with_choices_of_scenarios({})).replay(along, mode);
    for (finding& each : shown.findings) name_locks(each, subject.lock_titles());
    return shown;
}

[[gnu::weak]] check_result check(const document& all, order_walk& order,
                                 const check_options& options) {
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
[[gnu::weak]] check_result check(const document& all, const check_options& options) {
    order_walk order(all);
    return check(all, order, options);
}

[[gnu::weak]] void judge_without_allowed(const document& all, check_result& result) {
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

namespace detail {

/// A scenario in which copies of a thread are not treated as equal.
class told_apart final : public subject, public subject_facts {
public:
    explicit told_apart(subject& of) : of_(of) {}
    std::uint32_t tasks() const override { return of_.tasks(); }
    std::string task_name(std::uint32_t task) const override { return of_.task_name(task); }
    void begin() override { of_.begin(); }
    void run(std::uint32_t task) override { of_.run(task); }
    void interrupted(std::uint32_t handler, std::uint32_t victim) override {
        of_.interrupted(handler, victim);
    }
    void check() override { of_.check(); }
    void end() override { of_.end(); }
    schedule blank() const override { return of_.blank(); }
    const subject_facts& facts() const override { return *this; }
    std::optional<std::uint64_t> state() const override { return of_.facts().state(); }
    std::uint64_t state_of(std::uint32_t task) const override { return of_.facts().state_of(task); }
    bool meets_in_locks_alone() const override { return of_.facts().meets_in_locks_alone(); }
    bool leaves_quietly() const override { return of_.facts().leaves_quietly(); }
    bool has_unseen_state() const override { return of_.facts().has_unseen_state(); }

private:
    subject& of_;
};

/// Returns the classes of the locks, each after the classes under which it is taken. Empty: there
/// is no such order.
inline std::string rising_order(const document& all) {
    order_walk order(all);
    static_cast<void>(order.run(nullptr));
    std::vector<std::string> classes;
    for (const declaration& each : all.all)
        if (each.what == declares::lock && !std::ranges::count(classes, class_of(each)))
            classes.push_back(class_of(each));
    std::map<std::string, std::set<std::string>> below;
    for (const dependency& edge : order.dependencies()) {
        const std::string held = written_class(edge.held.class_name);
        const std::string wanted = written_class(edge.wanted.class_name);
        if (held != wanted) below[wanted].insert(held);
    }
    std::string text = "rising\n";
    std::set<std::string> placed;
    while (placed.size() < classes.size()) {
        const auto next = std::ranges::find_if(classes, [&](const std::string& each) {
            return !placed.contains(each) &&
                   std::ranges::all_of(below[each], [&](const std::string& held) {
                       return placed.contains(held) || !std::ranges::count(classes, held);
                   });
        });
        if (next == classes.end()) return "";
        placed.insert(*next);
        text += "class " + *next + "\n";
    }
    return text;
}

/// Returns all states and all steps.
///
/// @throws no_certificate  there are too many, or a step cannot be in a sound scenario
inline std::string closed_set(const document& all, const certificate_limits& most) {
    scenario_subject scenario(all);
    told_apart subject(scenario);
    if (!subject.state())
        throw no_certificate("the states of more than 64 tasks are not told apart");
    constexpr std::uint64_t steps_max = 1'000'000;
    controller runs(subject, substrate::automatic, nullptr, steps_max, {.spurious_wakeups = true});
    closed_set_search search;
    while (search.new_execution()) {
        const ending how = runs.run(search).how;
        if (how == ending::complete) search.ended();
        if (how != ending::complete && how != ending::pruned)
            throw no_certificate("an execution of this sound scenario is not complete");
        if (search.states() > most.states || search.edges().size() > most.steps)
            throw no_certificate("too many states (" + std::to_string(search.states()) +
                                 ") or steps (" + std::to_string(search.edges().size()) + ")");
    }
    std::string text = "states " + std::to_string(search.states()) + "\n";
    for (const closed_set_search::edge& each : search.edges()) {
        text += each.from == closed_set_search::beginning
                    ? "begin"
                    : std::to_string(each.from) + " " + std::to_string(each.task);
        for (const decision& choice : each.choices)
            text += " " + std::to_string(choice.value) + "/" + std::to_string(choice.of);
        text +=
            " -> " + (each.to == closed_set_search::done ? "done" : std::to_string(each.to)) + "\n";
    }
    return text;
}

/// Returns the schedule of the finding that decides the outcome.
inline std::string schedule_of_claim(const check_result& result, std::string& claim) {
    for (const finding& each : result.found.findings) {
        if (each.best.decisions.empty() && each.kind != finding_kind::deadlock) continue;
        const bool is_assertion = each.kind == finding_kind::assertion;
        const bool is_it = result.what == "deadlock"   ? is_deadlock(each)
                           : result.what == "livelock" ? each.is_livelock()
                                                       : is_assertion;
        if (!is_it) continue;
        claim = result.what == "finding" ? "assertion" : result.what;
        std::string lines = "decisions " + std::to_string(each.best.decisions.size()) + "\n";
        const std::string text = to_string(each.best);
        for (std::size_t at = 0, end = 0; at < text.size(); at = end + 1) {
            end = text.find('\n', at);
            const std::string line = text.substr(at, end - at);
            if (line.starts_with("run ") || line.starts_with("choose ") || line == "circle")
                lines += line + "\n";
        }
        return lines;
    }
    throw no_certificate(
        "the outcome is " + result.what +
        ", and a certificate is for sound, a deadlock, a livelock or an assertion");
}

}  // namespace detail

[[gnu::weak]] std::string certificate_of(const document& all, const std::string& text,
                                         const check_result& result, certificate_limits most) {
    const std::string head = detail::head_of_certificate(all.path, text);
    const auto verified = [&](const std::string& claim, const std::string& evidence) {
        const std::string whole = head + "claim " + claim + "\n" + evidence + "end\n";
        static_cast<void>(verify::certificate(whole, "certificate").check());
        return whole;
    };
    for (const declaration& each : all.all)
        if (each.has_cpu) throw no_certificate("the verifier does not know `cpu`");
    try {
        if (result.what != "sound") {
            std::string claim;
            const std::string evidence = detail::schedule_of_claim(result, claim);
            return verified(claim, evidence);
        }
        if (const std::string order = detail::rising_order(all); !order.empty()) {
            try {
                return verified("sound", order);
            } catch (const std::runtime_error&) {
                // The order alone does not prove it, but the states may.
            }
        }
        return verified("sound", detail::closed_set(all, most));
    } catch (const verify::cannot_verify& why) {
        throw no_certificate("the verifier does not know " + std::string(why.what()));
    } catch (const verify::rejected& why) {
        throw no_certificate("the verifier rejects it: " + std::string(why.what()));
    }
}

}  // namespace wedge::scenario
