// The finding that a subject does not repeat itself, and what can still be said then.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "wedge/core/lock_class.hpp"
#include "wedge/core/signature.hpp"
#include "wedge/explore/engine/step_trace.hpp"
#include "wedge/explore/verdict/sighting.hpp"

namespace wedge {

namespace detail {

inline const char* verb_of(step what) noexcept {
    switch (what) {
        case step::acquire: return "acquire";
        case step::try_acquire: return "try";
        case step::release: return "release";
        case step::access: return "access";
        case step::downgrade: return "downgrade";
        case step::wait: return "wait for";
        case step::notify_one: return "notify one of";
        case step::notify_all: return "notify all of";
        case step::spawn: return "start a task";
        case step::join: return "join a task";
        case step::interrupt: return "interrupt a task";
        case step::yield: break;
    }
    return "yield";
}

}  // namespace detail

/// Returns what a task did next: `acquire b (x.cpp:12)`, `a choice among 3 (which one)`, `its end`.
///
/// @param name  (ordinal) -> the name of the lock
template <class Name>
std::string text_of(const trace_point& seen, Name name) {
    using sort = trace_point::sort;
    switch (seen.what) {
        case sort::step: break;
        case sort::choice:
            return "a choice among " + std::to_string(seen.other) + " (" + seen.text + ")";
        case sort::end: return "its end";
        case sort::thrown: return "an exception";
        case sort::over: return "the end of the execution";
    }
    std::string text = detail::verb_of(seen.step);
    const std::uint32_t of = seen.condition != 0 ? seen.condition : seen.lock;
    if (of != 0) text += " " + name(of);
    if (is_shared(seen.how)) text += std::string(" ") + name_of(seen.how);
    return text + " (" + to_string(site{seen.text, "", seen.line}) + ")";
}

/// @param task  (ordinal) -> the name of the task
/// @param lock  (ordinal) -> the name of the lock
template <class Task, class Lock>
finding finding_of_difference(const difference& seen, Task task, Lock lock) {
    const auto described = [&](const trace_point& each) {
        return task(each.task) + " comes to " + text_of(each, lock);
    };
    finding made;
    made.kind = finding_kind::nondeterministic;
    made.judged = verdict::observed;
    made.task = task(seen.now.task);
    made.what = "after the same " + std::to_string(seen.decisions) +
                (seen.decisions == 1 ? " decision " : " decisions ") + described(seen.before) +
                " in one execution, and " + described(seen.now) + " in another";
    made.signature = std::string(name_of(made.kind)) + " " + made.task;
    return made;
}

/// Returns the finding that a replay left decisions which were just recorded.
inline finding finding_of_divergence(const std::string& where) {
    finding made;
    made.kind = finding_kind::nondeterministic;
    made.judged = verdict::observed;
    made.what = "a schedule that was just recorded does not repeat: " + where;
    made.signature = name_of(made.kind);
    return made;
}

/// Returns where the difference comes from, as far as repeated executions tell.
///
/// @param repeats  whether all of them were alike
inline std::string source_of_difference(bool repeats) {
    return repeats
               ? "later executions are alike, so likely state that is kept across executions: a "
                 "static, a global, a cache, something made at its first use"
               : "likely a random number, a clock, an order of addresses (a set of pointers, a "
                 "hash), state that is kept across executions, or a thread that wedge does not "
                 "control; use wedge::choose for what may differ";
}

/// Withdraws what can be claimed only about a subject that repeats itself.
inline void withdraw(sighting& each) {
    finding& what = each.what;
    if (what.kind == finding_kind::nondeterministic) return;
    const bool happened =
        each.is_reached || what.judged == verdict::observed || what.judged == verdict::confirmed;
    what.judged = happened ? verdict::observed : verdict::unresolved;
    what.reason = happened ? "it happened in one execution, but the workload does not repeat itself"
                           : "the workload does not repeat itself, so nothing is proved";
    what.best = {};
}

}  // namespace wedge
