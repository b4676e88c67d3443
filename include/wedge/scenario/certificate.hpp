// Certificates: the outcome of a check, written so that a reader need not trust the engine.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/schedule_text.hpp"
#include "wedge/explore/engine/controller.hpp"
#include "wedge/explore/search/closed_set.hpp"
#include "wedge/scenario/check.hpp"
#include "wedge/verify/certificate.hpp"

namespace wedge::scenario {

/// The reason why an outcome has no certificate.
struct no_certificate : error {
    explicit no_certificate(const std::string& why) : error("no certificate: " + why) {}
};

/// The size at which a certificate is given up.
struct certificate_limits {
    std::uint64_t states = 50'000;
    std::uint64_t steps = 400'000;
};

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

inline std::string head_of_certificate(const std::string& path, const std::string& text) {
    std::string quoted, plain;
    for (std::size_t at = 0, end = 0; at < text.size(); at = end + 1) {
        end = std::min(text.find('\n', at), text.size());
        plain += text.substr(at, end - at) + "\n";
        quoted += "| " + text.substr(at, end - at) + "\n";
    }
    return "wedge certificate 1\nscenario " + path + "\ntext " +
           std::to_string(verify::hash_of(plain)) + "\n" + quoted;
}

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

/// Returns the certificate of an outcome, which `verify::certificate` has read and accepted.
///
/// @param text  of the scenario
/// @throws no_certificate  with the reason why the outcome has no certificate
inline std::string certificate_of(const document& all, const std::string& text,
                                  const check_result& result, certificate_limits most = {}) {
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
