// Turns what the checker knows into findings that explain themselves.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "wedge/core/finding.hpp"
#include "wedge/core/signature.hpp"
#include "wedge/core/task.hpp"
#include "wedge/order/context_class.hpp"
#include "wedge/order/grade.hpp"

namespace wedge::detail {

inline lock_use use_of(const held_lock& hold) {
    lock_use made = wedge::use_of(acquisition_of(hold));
    made.taken_in = static_cast<context>(hold.context);
    return made;
}
inline lock_use use_of(const event& step) {
    return wedge::use_of(acquisition_of(step));
}
inline std::vector<lock_use> uses_of(const held_locks& held) {
    std::vector<lock_use> uses;
    for (const held_lock& hold : held)
        if (!lock_class::from_id(hold.class_id).options().is_internal) uses.push_back(use_of(hold));
    return uses;
}
inline std::string name_of_use(const lock_use& use) {
    return use.subclass == 0 ? use.class_name : use.class_name + "/" + std::to_string(use.subclass);
}

inline dependency dependency_of(const observation& seen) {
    return {wedge::use_of(seen.held), wedge::use_of(seen.wanted), seen.title, seen.primed,
            seen.stack};
}

/// Returns `a -> b here, b -> c, c -> a before`. A cycle within a class shows its instances: `a[1]
/// -> a/1[2]`.
inline std::string what_of(const std::vector<dependency>& cycle) {
    const bool is_within = cycle[0].held.class_id == cycle[0].wanted.class_id;
    const auto name = [&](const lock_use& use) {
        return is_within ? name_of_use(use) + "[" + std::to_string(use.instance) + "]"
                         : name_of_use(use);
    };
    std::string text;
    for (std::size_t i = 0; i < cycle.size(); ++i) {
        if (i != 0) text += ", ";
        text += name(cycle[i].held) + " -> " + name(cycle[i].wanted);
        if (i == 0) text += " here";
    }
    return text + " before";
}

/// Writes the grade into a finding, and the verdict if the evidence alone decides it.
inline void apply(const grade& graded, finding& found) {
    found.graded = graded;
    // One task suffices for an interrupt and what it interrupts.
    if (is_about_interrupts(found.kind)) found.graded.one_task = false;
    const bool is_guarded = found.exact && !graded.guard.empty();
    if (is_guarded) {
        found.judged = verdict::refuted;
        found.reason = "guarded by " + graded.guard;
    } else if (found.judged == verdict::refuted && found.reason.starts_with("guarded by ")) {
        found.judged = verdict::unresolved;
        found.reason.clear();
    }
}

/// Makes a finding about single locks.
inline finding hygiene(finding_kind kind, const task& self, std::string what,
                       std::vector<lock_use> locks) {
    finding found;
    found.kind = kind;
    found.judged = verdict::observed;
    found.what = std::move(what);
    found.locks = std::move(locks);
    found.task = self.title();
    found.signature = signature_of(found);
    return found;
}

/// Makes a finding about an acquire, whose lock is the last of these.
inline finding wrong_acquire(finding_kind kind, const task& self, std::string what,
                             std::vector<lock_use> locks) {
    finding found = hygiene(kind, self, std::move(what), std::move(locks));
    found.held = uses_of(self.held);
    return found;
}

/// Makes a finding about nesting within a class (rule 10). A task that waits for a lock that it
/// holds hangs at once, unless the wait may give up or a writer must come in between.
inline finding nesting(const task& self, const held_lock& held, const event& wanted, bool exact) {
    const bool same = held.instance == wanted.instance;
    const std::string& name = lock_class::from_id(held.class_id).name();
    finding found = hygiene(finding_kind::recursive, self,
                            same ? name + " taken again while held"
                                 : name + " taken while another " + name + " is held",
                            {use_of(held), use_of(wanted)});
    const bool readers = is_shared(held.how) && is_shared(wanted.how);
    const bool may_give_up = has(wanted.with, flags::timed | flags::interruptible);
    if (!same || readers || may_give_up) found.judged = verdict::unresolved;
    found.graded.needs_writer = readers;
    found.exact = exact || same;
    return found;
}

/// Makes a finding about a second acquire that the lock's type forbids. If the wait need not last,
/// the breach itself has happened, and no schedule can refute it.
inline finding forbidden_nesting(const task& self, const held_lock& held, const event& wanted,
                                 bool exact) {
    finding found = nesting(self, held, wanted, exact);
    if (found.judged == verdict::unresolved || has(wanted.with, flags::tried)) {
        found.judged = verdict::observed;
        found.what += ", which its type forbids";
        found.reason = "the lock's type forbids the acquire, whether or not it hangs";
    }
    return found;
}

/// Returns the shortest text that names both sites of every dependency, for the default sink.
inline std::string plain_text_of(const finding& found) {
    std::string text =
        found.kind == finding_kind::circular ? "possible deadlock" : name_of(found.kind);
    text += ": " + found.what + "\n";
    for (std::size_t i = 0; i < found.cycle.size(); ++i) {
        const dependency& d = found.cycle[i];
        const std::string by = d.primed ? " (stated)" : " by " + d.task;
        const std::string held = name_of_use(d.held) + " taken at " + to_string(d.held.where);
        const std::string wanted = name_of_use(d.wanted) + " at " + to_string(d.wanted.where);
        if (i == 0)
            text += "  holding  " + held + by + "\n  taking   " + wanted + "\n";
        else
            text += "  earlier  " + name_of_use(d.held) + " -> " + wanted + by + ", " + held + "\n";
        for (const std::string& call : names_of(d.stack)) text += "             " + call + "\n";
    }
    for (const lock_use& lock : found.locks)
        text += "  lock     " + name_of_use(lock) + " (" + name_of(lock.how) + ") at " +
                to_string(lock.where) + " by " + found.task + "\n";
    if (!found.graded.guard.empty()) text += "  guarded by " + found.graded.guard + "\n";
    if (found.graded.needs_writer) text += "  needs a writer\n";
    if (found.graded.one_task) text += "  one task seen\n";
    if (found.graded.class_only) text += "  class only\n";
    if (found.graded.is_inferred) text += "  inferred wait\n";
    if (found.cycles > 1) text += "  one of " + std::to_string(found.cycles) + " cycles\n";
    return text;
}

}  // namespace wedge::detail
