// A finding: a broken rule, a deadlock or a livelock, as a value that explains itself.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wedge/core/event.hpp"
#include "wedge/core/lock_class.hpp"
#include "wedge/core/schedule.hpp"
#include "wedge/core/site.hpp"
#include "wedge/core/stack.hpp"

namespace wedge {

enum class finding_kind : std::uint8_t {
    circular,
    recursive,
    instance_order,
    inconsistent_context,
    context_inversion,
    wait_type,
    nest_not_held,
    ww_rule,
    unlock_imbalance,
    held_at_exit,
    held_when_destroyed,
    not_held,
    pin_broken,
    bad_downgrade,
    assertion,
    capacity,
    nondeterministic,
    deadlock,
    livelock,
    stalled,
};

inline constexpr std::array finding_names = {
    "circular",
    "recursive",
    "instance-order",
    "inconsistent-context",
    "context-inversion",
    "wait-type",
    "nest-not-held",
    "ww-rule",
    "unlock-imbalance",
    "held-at-exit",
    "held-when-destroyed",
    "not-held",
    "pin-broken",
    "bad-downgrade",
    "assertion",
    "capacity",
    "nondeterministic",
    "deadlock",
    "livelock",
    "stalled",
};
static_assert(finding_names.size() == static_cast<std::size_t>(finding_kind::stalled) + 1);

constexpr const char* name_of(finding_kind kind) noexcept {
    return finding_names[static_cast<std::size_t>(kind)];
}

/// Returns whether findings of this kind need an interrupt to happen. An engine that delivers no
/// interrupts cannot refute them.
constexpr bool is_about_interrupts(finding_kind kind) noexcept {
    return kind == finding_kind::inconsistent_context || kind == finding_kind::context_inversion;
}

/// What wedge says about a finding.
enum class verdict : std::uint8_t {
    unresolved,  ///< neither built nor excluded within the budget
    confirmed,   ///< a schedule that deadlocks is attached
    /// Every schedule of this workload was tried and none deadlocks, or a guard excludes it.
    refuted,
    observed,  ///< it happened
};

constexpr const char* name_of(verdict v) noexcept {
    constexpr const char* names[] = {"unresolved", "confirmed", "refuted", "observed"};
    return names[static_cast<std::size_t>(v)];
}

/// A lock as a task used it.
struct lock_use : acquisition {
    std::string class_name;
    context taken_in = context::task;  ///< of what a task holds
};

inline lock_use use_of(const acquisition& of) {
    return {of, lock_class::from_id(of.class_id).name(), context::task};
}

/// Returns whether the class is a wait whose signaller's sections are inferred (rule 19d). No task
/// holds it, and its name is that of the wait.
inline bool is_inferred_wait(const lock_use& lock) {
    return lock.class_id != 0 && lock_class::from_id(lock.class_id).options().is_inferred;
}

/// "`held` was held while `wanted` was acquired."
struct dependency {
    lock_use held;
    lock_use wanted;
    std::string task;     ///< the first task that did it
    bool primed = false;  ///< stated by `prime`, not seen
    call_stack stack{};   ///< of the acquire of `wanted`, if the checker keeps them
    /// `held` is a wait with inferred sections: everywhere a signaller takes `wanted` (rule 19d).
    std::vector<site> places{};

    /// Returns whether a signaller takes `wanted` there.
    bool has_place(const site& where) const {
        return std::any_of(places.begin(), places.end(), [&](const site& place) {
            return place.line == where.line && std::string_view(place.function) == where.function &&
                   std::string_view(place.file) == where.file;
        });
    }
};

/// What a task holds and waits for when nothing can go on.
struct task_report {
    std::string name;
    std::vector<lock_use> held;      ///< outermost first
    std::optional<lock_use> wanted;  ///< the lock it waits for
    std::string waits_for;  ///< if it waits for something else: what, such as `condition ready`
    site where{};           ///< of its next step; unknown if the task has ended
    std::vector<std::uint32_t> contexts{};  ///< classes of the contexts that the task has entered
    std::string action{};                   ///< the action that the task runs, without a number
    std::string joins{};                    ///< the name of the task whose end it waits for
    std::string behind{};  ///< the name of the task that has the processor it waits for
    /// The number of the object that it waits for, or of the task whose end that is, from 1.
    std::uint32_t waits_on = 0;
};

/// What makes a finding believed (rule 26).
struct grade {
    std::string guard;          ///< a lock instance held by every task of the cycle; or empty
    bool needs_writer = false;  ///< every wait of the cycle is a read behind a read
    bool one_task = false;  ///< one task was seen; the cycle closes only if two tasks run that code
    bool class_only = false;   ///< the instances of the observations never mixed
    bool is_inferred = false;  ///< what a signaller takes before it signals was inferred
};

struct finding {
    finding_kind kind{};
    verdict judged = verdict::unresolved;
    std::string what;                 ///< one line: `a -> b here, b -> a before`
    std::string reason;               ///< why it has this verdict, if that needs a reason
    std::vector<dependency> cycle;    ///< each edge's `wanted` is the next one's `held`
    std::vector<dependency> reached;  ///< confirmed: the cycle of waits that the execution ended in
    std::vector<lock_use> locks;      ///< other kinds: the locks that the finding is about
    /// Of an acquire: all locks that the task held then, outermost first.
    std::vector<lock_use> held;
    std::vector<task_report> tasks;  ///< where every task stood when it happened
    std::string task;                ///< the task that ran into it
    grade graded;
    std::uint32_t cycles = 1;  ///< how many cycles the new edge closed
    bool exact = false;        ///< from exact evidence, so that instances and tasks can be compared
    call_stack stack;          ///< of a stalled task: its call stack
    schedule best;          ///< confirmed, or observed under control: the schedule that repeats it
    std::string signature;  ///< see signature.hpp
    std::string hang;       ///< confirmed: the signature of the hang that the execution ended in
    bool is_allowed = false;  ///< an allow list names it, so that it does not count

    /// Returns whether tasks retry forever. The finding may be a cycle that the order checker
    /// reported, confirmed by an execution in which the tasks retry.
    bool is_livelock() const noexcept {
        return kind == finding_kind::livelock || (judged == verdict::confirmed && best.circle != 0);
    }
    /// Returns whether an execution ended because its tasks could not go on.
    bool is_stuck() const noexcept { return !tasks.empty() && kind != finding_kind::assertion; }
};

/// Returns whether the cycle of a finding goes through a wait whose signaller's sections are
/// inferred. Its grade says so only until it is confirmed.
inline bool has_inferred_wait(const finding& found) {
    return std::any_of(found.cycle.begin(), found.cycle.end(),
                       [](const dependency& edge) { return is_inferred_wait(edge.held); });
}

/// A receiver of findings. It is called on the path of the lock, so it must not block on a wedge
/// lock.
class finding_sink {
public:
    virtual ~finding_sink() = default;
    virtual void on(const finding& found) noexcept = 0;
};

}  // namespace wedge
