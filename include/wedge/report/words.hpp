// The words that all reports share: names of kinds, names of a finding's locks.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wedge/core/finding.hpp"
#include "wedge/core/hang.hpp"

namespace wedge::report {

/// What each kind of finding means, in the order of `finding_kind`.
inline constexpr std::array finding_meanings = {
    "locks are taken in orders that form a cycle",
    "a task takes a lock that it holds, or another lock of its class",
    "locks of one class are taken against the order of their class",
    "a lock of an interrupt handler is held with that interrupt enabled",
    "a lock of an interrupt handler leads to a lock that is held with it enabled",
    "a lock that sleeps is taken where sleeping is forbidden, or a spinning lock under a raw one",
    "the nest lock of an acquire is not held",
    "a wound/wait rule is broken: no ticket, a ticket that is done, or a back-off ignored",
    "a task releases a lock that it does not hold",
    "a task ends while it holds a lock",
    "a lock is destroyed or initialised again while it is held",
    "a lock is not held where the program asserts it",
    "a pinned lock is released, or a lock without a pin is unpinned",
    "a task downgrades a lock that it does not hold exclusively",
    "an assertion of the program fails, or an action throws",
    "the checker reached a limit: the rest was not checked",
    "the program behaves differently although all decisions are the same",
    "tasks wait for each other, or for something that never happens",
    "tasks retry forever without progress",
    "a task reaches no step: it blocks outside of wedge, or loops without a step",
};
static_assert(finding_meanings.size() == finding_names.size());

/// Returns whether findings of this kind are about tasks that wait for each other forever, and not
/// about a broken rule.
constexpr bool is_deadlock(finding_kind kind) noexcept {
    switch (kind) {
        case finding_kind::circular:
        case finding_kind::recursive:
        case finding_kind::instance_order:
        case finding_kind::inconsistent_context:
        case finding_kind::context_inversion:
        case finding_kind::deadlock: return true;
        default: return false;
    }
}

/// Returns `3 steps`, `1 step` or `no steps`.
inline std::string counted(std::uint64_t n, std::string_view noun, std::string_view plural = {}) {
    const std::string many = plural.empty() ? std::string(noun) + "s" : std::string(plural);
    return (n == 0 ? "no" : std::to_string(n)) + " " + (n == 1 ? std::string(noun) : many);
}

/// Returns `3 steps`, `1 step` or `0 steps`, for lines that programs read too.
inline std::string amount(std::uint64_t n, std::string_view noun) {
    return n == 0 ? "0 " + std::string(noun) + "s" : counted(n, noun);
}

inline std::string padded(std::string text, std::size_t width) {
    if (text.size() < width) text.append(width - text.size(), ' ');
    return text;
}

/// Returns how an acquire differs from an exclusive blocking one, as ` (shared, tried)`; usually
/// nothing.
inline std::string terms_of(const lock_use& lock) {
    std::string text;
    const auto add = [&](std::string_view word) {
        text += (text.empty() ? " (" : ", ") + std::string(word);
    };
    if (is_shared(lock.how)) add(name_of(lock.how));
    if (has(lock.with, flags::tried)) add("tried");
    if (has(lock.with, flags::timed)) add("timed");
    if (has(lock.with, flags::interruptible)) add("interruptible");
    if (has(lock.with, flags::ticketed)) add("with a ticket");
    return text.empty() ? text : text + ")";
}

/// Calls `visit` with every lock that a finding names.
template <class Visit>
void for_each_lock(const finding& found, Visit visit) {
    for (const dependency& edge : found.cycle) {
        visit(edge.held);
        visit(edge.wanted);
    }
    for (const dependency& edge : found.reached) {
        visit(edge.held);
        visit(edge.wanted);
    }
    for (const lock_use& lock : found.locks) visit(lock);
    for (const task_report& task : found.tasks) {
        for (const lock_use& lock : task.held) visit(lock);
        if (task.wanted) visit(*task.wanted);
    }
}

/// The names of the locks within one finding: the class, and the instance too if two instances of
/// the class occur in the finding, as `fork[2]`.
class lock_names {
public:
    explicit lock_names(const finding& found) {
        std::vector<std::pair<std::string, std::uint32_t>> seen;
        for_each_lock(found, [&](const lock_use& lock) {
            if (lock.instance != 0) seen.emplace_back(lock.class_name, lock.instance);
        });
        std::sort(seen.begin(), seen.end());
        seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
        for (std::size_t i = 1; i < seen.size(); ++i)
            if (seen[i].first == seen[i - 1].first) several_.push_back(seen[i].first);
    }

    std::string operator()(const lock_use& lock) const {
        std::string text = lock.class_name.empty() ? "?" : lock.class_name;
        if (lock.subclass != 0) text += "/" + std::to_string(lock.subclass);
        const bool is_ambiguous =
            std::find(several_.begin(), several_.end(), lock.class_name) != several_.end();
        if (is_ambiguous && lock.instance != 0) text += "[" + std::to_string(lock.instance) + "]";
        return text;
    }

private:
    std::vector<std::string> several_;  // classes of which two instances occur
};

/// Returns `a -> b here, b -> a before`, or `a -> b -> a` if the cycle was reached at once.
inline std::string what_of(const finding& found) {
    if (!found.what.empty()) return found.what;
    const lock_names name(found);
    std::string text;
    if (!found.cycle.empty()) {
        text = name(found.cycle.front().held);
        for (const dependency& edge : found.cycle) text += " -> " + name(edge.wanted);
    }
    if (text.empty())
        for (const lock_use& lock : found.locks) text += (text.empty() ? "" : ", ") + name(lock);
    return text.empty() ? "nothing goes on" : text;
}

/// Returns whether the finding is a nesting that the lock's type forbids and the lock may grant. It
/// has happened, and need not hang.
inline bool is_breach_alone(const finding& found) {
    return found.kind == finding_kind::recursive && found.judged == verdict::observed &&
           !found.reason.empty();
}

/// Returns the first line of a finding: `possible deadlock: a -> b here, b -> a before`. It says
/// "possible" until the deadlock has happened, because users take a report about an order for a
/// false alarm. A refuted finding is an inverted order and no longer possible.
inline std::string heading_of(const finding& found) {
    const bool is_refuted = found.judged == verdict::refuted;
    std::string kind = name_of(found.kind);
    std::string text;
    if (found.judged == verdict::confirmed) text = "confirmed ";
    if (found.judged == verdict::unresolved) text = "possible ";
    if (is_refuted) text = "refuted ";
    if (is_deadlock(found.kind) && !is_breach_alone(found)) {
        text += is_refuted ? "order inversion" : "deadlock";
        const bool is_usual =
            found.kind == finding_kind::circular || found.kind == finding_kind::deadlock;
        if (!is_usual) text += " (" + kind + ")";
    } else {
        std::replace(kind.begin(), kind.end(), '-', ' ');
        text += kind;
    }
    return text + ": " + what_of(found);
}

/// Returns one sentence per reason to believe the finding more or less.
inline std::vector<std::string> grades_of(const finding& found) {
    std::vector<std::string> all;
    const grade& g = found.graded;
    if (!g.guard.empty())
        all.push_back("guarded by " + g.guard +
                      ": every task of the cycle holds it, so only one can be inside");
    if (g.needs_writer)
        all.push_back(
            "needs a writer: every wait is a read behind a read, which closes only if "
            "a task writes");
    if (g.one_task)
        all.push_back("one task seen: it closes only if two tasks run this code at once");
    if (g.class_only)
        all.push_back("class only: the same instances were never seen in both orders");
    if (g.is_inferred)
        all.push_back(
            "inferred wait: what a signaller takes between its last wait and its signal "
            "counts as taken by the waiter");
    return all;
}

/// Returns the verdict and the reason for it.
inline std::string verdict_of(const finding& found) {
    std::string text = name_of(found.judged);
    if (!found.reason.empty()) return text + ": " + found.reason;
    switch (found.judged) {
        case verdict::unresolved:
            return text + ": no schedule that deadlocks is known, but not all were tried";
        case verdict::refuted:
            return text + ": every schedule of this workload was tried, none deadlocks";
        case verdict::confirmed:
            text += found.best.circle == 0 ? ": a schedule that deadlocks is known"
                                           : ": a schedule that repeats forever is known";
            break;
        case verdict::observed: text += ": it happened"; break;
    }
    if (!found.best.decisions.empty())
        text += " (" + counted(found.best.decisions.size(), "decision") + ", " +
                counted(found.best.switches(), "switch", "switches") + ")";
    return text;
}

}  // namespace wedge::report
