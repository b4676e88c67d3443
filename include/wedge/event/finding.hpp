// A finding: a rule broken or a deadlock, as a value that explains itself.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wedge/base/site.hpp"
#include "wedge/base/stack.hpp"
#include "wedge/event/event.hpp"
#include "wedge/event/schedule.hpp"

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

/// Whether an interrupt must come for it to happen. Engines that let none come cannot refute it.
constexpr bool is_about_interrupts(finding_kind kind) noexcept {
    return kind == finding_kind::inconsistent_context || kind == finding_kind::context_inversion;
}

/// What wedge says of a finding.
enum class verdict : std::uint8_t {
    unresolved,  ///< nobody has tried, or the budget was spent
    confirmed,   ///< a schedule that deadlocks is attached
    refuted,     ///< every schedule of this workload was tried, none deadlocks; or guarded
    observed,    ///< it simply happened
};

constexpr const char* name_of(verdict v) noexcept {
    constexpr const char* names[] = {"unresolved", "confirmed", "refuted", "observed"};
    return names[static_cast<std::size_t>(v)];
}

/// One lock as a task used it.
struct lock_use {
    std::string class_name;
    std::uint32_t class_id = 0;  ///< in this process; never printed
    std::uint32_t instance = 0;
    std::uint8_t subclass = 0;
    mode how = mode::exclusive;
    flags with = flags::none;
    site where{};
};

/// "`held` was held while `wanted` was acquired."
struct dependency {
    lock_use held;
    lock_use wanted;
    std::string task;     ///< who did it first
    bool primed = false;  ///< stated by `prime`, not seen
    call_stack stack{};   ///< of the acquire of `wanted`, if the checker keeps them
};

/// Where a task stands when nothing goes on.
struct task_report {
    std::string name;
    std::vector<lock_use> held;             ///< outermost first
    std::optional<lock_use> wanted;         ///< the lock it waits for
    std::string waits_for;                  ///< otherwise: what, as `condition ready`
    site where{};                           ///< of its next step; none: it has ended
    std::vector<std::uint32_t> contexts{};  ///< classes of the contexts that it has entered
    std::string action{};                   ///< what it runs; no number stands in it
    std::string joins{};                    ///< the task whose end it waits for
};

/// What makes a finding believed (rule 26).
struct grade {
    std::string guard;          ///< a lock instance held by every task of the cycle; or empty
    bool needs_writer = false;  ///< every wait of the cycle is a read behind a read
    bool one_task = false;      ///< one task seen: it closes only if two run the same code
    bool class_only = false;    ///< the instances never mixed
};

struct finding {
    finding_kind kind{};
    verdict judged = verdict::unresolved;
    std::string what;                 ///< one line: `a -> b here, b -> a before`
    std::string reason;               ///< why the verdict, if it needs a reason
    std::vector<dependency> cycle;    ///< each edge's `wanted` is the next one's `held`
    std::vector<dependency> reached;  ///< confirmed: the cycle of waits in which it ended
    std::vector<lock_use> locks;      ///< other kinds: what it is about
    std::vector<lock_use> held;       ///< of an acquire: all that was held then, outermost first
    std::vector<task_report> tasks;   ///< where every task stood when it happened
    std::string task;                 ///< who ran into it
    grade graded;
    std::uint32_t cycles = 1;  ///< how many cycles the new edge closed
    bool exact = false;        ///< from exact evidence: instances and tasks are comparable
    call_stack stack;          ///< of a stalled task: where it stands
    schedule best;             ///< confirmed or observed under control: repeats it
    std::string signature;     ///< see signature.hpp
    std::string hang;          ///< confirmed: the signature of the hang in which it ended

    /// Whether tasks go round for ever. It may be a cycle of waits that the order checker spoke of,
    /// in a run in which tasks retry.
    bool is_livelock() const noexcept {
        return kind == finding_kind::livelock || (judged == verdict::confirmed && best.circle != 0);
    }
    /// Whether an execution ended because its tasks could not go on.
    bool is_stuck() const noexcept { return !tasks.empty() && kind != finding_kind::assertion; }
};

/// A receiver of findings. Called on the path of the lock: must not block on a wedge lock.
class finding_sink {
public:
    virtual ~finding_sink() = default;
    virtual void on(const finding& found) noexcept = 0;
};

}  // namespace wedge
