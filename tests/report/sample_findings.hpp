// Findings as the order checker and the explorer make them, for the tests of all reports.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "wedge/core/finding.hpp"
#include "wedge/core/signature.hpp"

namespace samples {

inline constexpr wedge::site in_transfer(unsigned line) {
    return {"/home/somebody/project/bank/transfer.cpp", "f", line};
}

inline wedge::lock_use use(std::string name, std::uint32_t instance, unsigned line,
                           wedge::mode how = wedge::mode::exclusive) {
    wedge::lock_use lock;
    lock.class_name = std::move(name);
    lock.instance = instance;
    lock.how = how;
    lock.where = in_transfer(line);
    return lock;
}

inline wedge::schedule short_schedule() {
    using wedge::decision;
    wedge::schedule s;
    s.workload = "transfer";
    s.program = "deposit | withdraw";
    for (const unsigned task : {0U, 0U, 1U, 1U, 0U})
        s.decisions.push_back({decision::sort::run, task, 0});
    return s;
}

/// a -> b here, b -> a before.
inline wedge::finding circular(wedge::verdict judged) {
    wedge::finding found;
    found.kind = wedge::finding_kind::circular;
    found.judged = judged;
    found.what = "a -> b here, b -> a before";
    found.task = "withdraw";
    found.cycle = {{use("a", 1, 21), use("b", 2, 22), "withdraw", false},
                   {use("b", 2, 31), use("a", 1, 32), "deposit", false}};
    if (judged == wedge::verdict::confirmed) found.best = short_schedule();
    found.signature = wedge::signature_of(found);
    return found;
}

inline wedge::finding refuted_by_guard() {
    wedge::finding found = circular(wedge::verdict::refuted);
    found.graded.guard = "audit";
    found.reason = "all edges share the guard audit";
    return found;
}

/// Readers, one task, a stated order, two cycles at once: everything that a grade may say.
inline wedge::finding graded() {
    wedge::finding found = circular(wedge::verdict::unresolved);
    found.what = "mmap_lock -> reclaim here, reclaim -> mmap_lock before";
    found.cycle = {
        {use("mmap_lock", 1, 41, wedge::mode::shared), use("reclaim", 2, 42), "fault", false},
        {use("reclaim", 2, 51), use("mmap_lock", 1, 52, wedge::mode::shared), "fault", true}};
    found.graded.needs_writer = found.graded.one_task = found.graded.class_only = true;
    found.cycles = 3;
    return found;
}

/// Three philosophers, all of whom hold their left fork.
inline wedge::finding deadlock_of_three() {
    wedge::finding found;
    found.kind = wedge::finding_kind::deadlock;
    found.judged = wedge::verdict::observed;
    for (std::uint32_t i = 0; i < 3; ++i) {
        const wedge::lock_use left = use("fork", i + 1, 12);
        const wedge::lock_use right = use("fork", (i + 1) % 3 + 1, 13);
        const std::string name = "eat(" + std::to_string(i) + ")";
        found.cycle.push_back({left, right, name, false});
        found.tasks.push_back({name, {left}, right, "", right.where});
    }
    found.tasks.push_back({"lay the table", {}, {}, "", {}});
    found.best = short_schedule();
    found.signature = wedge::signature_of(found);
    return found;
}

/// No cycle of locks: all tasks wait for a notification.
inline wedge::finding lost_wakeup() {
    wedge::finding found;
    found.kind = wedge::finding_kind::deadlock;
    found.judged = wedge::verdict::observed;
    found.what = "consume waits for condition ready, which nobody notifies";
    found.tasks = {{"consume", {}, {}, "condition ready", in_transfer(61)},
                   {"produce", {}, {}, "", {}}};
    found.signature = wedge::signature_of(found);
    return found;
}

/// A lock taken within another lock of its class, or within itself.
inline wedge::finding nested(std::uint32_t outer, std::uint32_t inner) {
    wedge::finding found;
    found.kind = wedge::finding_kind::recursive;
    found.what = outer == inner ? "account taken again while held"
                                : "account taken while another account is held";
    if (outer == inner) found.judged = wedge::verdict::observed;
    found.task = "transfer";
    found.locks = {use("account", outer, 71), use("account", inner, 72)};
    found.signature = wedge::signature_of(found);
    return found;
}

inline wedge::finding unlock_imbalance() {
    wedge::finding found;
    found.kind = wedge::finding_kind::unlock_imbalance;
    found.judged = wedge::verdict::observed;
    found.what = "b is released by deposit, which does not hold it";
    found.task = "deposit";
    found.locks = {use("b", 2, 33)};
    found.signature = wedge::signature_of(found);
    return found;
}

}  // namespace samples
