// What is explored, without its type: the life of a workload in one execution.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/runtime.hpp"
#include "wedge/core/schedule.hpp"
#include "wedge/explore/engine/controlled_task.hpp"
#include "wedge/workload/workload.hpp"

namespace wedge {

/// What an engine may know of a subject in addition to its tasks, so that it need not try
/// everything. The defaults hold for any C++ code. Scenarios know more.
class subject_facts {
public:
    /// Between two steps: a hash of everything that tasks and objects remember in addition to the
    /// engine's models and `state_of`, so that states can be compared. Nothing: unknown.
    virtual std::optional<std::uint64_t> state() const { return {}; }
    /// As `state`, of one task.
    virtual std::uint64_t state_of(std::uint32_t /*task*/) const { return 0; }
    /// The first of the tasks that do the same and cannot be distinguished: which of them is where
    /// makes no difference.
    virtual std::uint32_t same_as(std::uint32_t task) const { return task; }
    /// What a task may do by its pending step or later, as bits. An acquire, a release or a
    /// downgrade of a lock may be swapped with the steps of the task unless these are among its
    /// `opponents_of`, where 0 means unknown.
    virtual std::uint64_t may_do(std::uint32_t /*task*/) const { return ~std::uint64_t{0}; }
    virtual std::uint64_t opponents_of(const operation&) const { return 0; }
    /// Whether no task tries the lock, or waits for it with a time-out.
    virtual bool is_only_waited_for(const lock_identity&) const { return false; }
    /// Whether tasks share no state except locks, and the locks are the same objects in every
    /// execution. Then the next action of a task follows from the outcomes of its own steps and
    /// choices, `state` never changes, and there is nothing to check.
    virtual bool meets_in_locks_alone() const { return false; }
    /// Whether its tasks return by themselves when an execution is given up, since they look at
    /// `runtime::is_giving_up` between their steps. Then no step throws `abandoned`: it fails.
    virtual bool leaves_quietly() const { return false; }
    /// Whether interrupts come wherever they may, so that findings that need one can be refuted.
    virtual bool delivers_interrupts() const { return false; }
    /// Whether its tasks may share state that is neither modelled nor part of `state`, as C++ code
    /// may.
    virtual bool has_unseen_state() const { return true; }
    /// Whether it has loops that may run forever.
    virtual bool may_circle() const { return true; }
    /// Whether some tasks share a processor. Then whether a task can go on depends on all others:
    /// no two steps may be swapped.
    virtual bool shares_processors() const { return false; }
    virtual processor_share processor_of(std::uint32_t /*task*/) const { return {}; }

protected:
    ~subject_facts() = default;
};

/// Returns the facts about a subject of which nothing is known.
inline const subject_facts& no_facts() noexcept {
    static const struct final_facts final : subject_facts {
    } none;
    return none;
}

/// What is explored: tasks, and the state that they share.
class subject {
public:
    subject() = default;
    subject(const subject&) = delete;
    subject& operator=(const subject&) = delete;
    virtual ~subject() = default;

    virtual std::uint32_t tasks() const = 0;
    virtual std::string task_name(std::uint32_t task) const = 0;
    virtual void begin() = 0;                  ///< makes the state
    virtual void run(std::uint32_t task) = 0;  ///< on the task's own stack
    virtual void check() = 0;                  ///< after all tasks have ended
    virtual void end() = 0;                    ///< destroys the state
    /// Whether `end` runs code of the user. Then `check` and `end` may be a last task under
    /// control.
    virtual bool has_destructor() const { return false; }
    virtual schedule blank() const = 0;  ///< a schedule with the head filled in

    /// The running task is interrupted: runs the handler of a handler's task, whose
    /// `step::interrupt` has chosen this victim, on top of it.
    virtual void interrupted(std::uint32_t /*handler*/, std::uint32_t /*victim*/) {}

    /// Returns what else is known. It lives as long as the subject.
    virtual const subject_facts& facts() const { return no_facts(); }
};

/// A workload with a program.
class workload_subject : public subject {
public:
    /// @throws error  the program calls an action that does not exist
    workload_subject(const workload_type& of, const program& calls)
        : text_(to_string(calls)), calls_(numbered(calls, of)), state_(of) {
        if (calls.empty()) throw error("program: it has no task");
        std::map<std::string, unsigned> seen;
        for (const std::vector<call>& task : calls) {
            std::string name = task.empty() ? "idle" : task.front().action;
            if (const unsigned before = seen[name]++) name += "#" + std::to_string(before + 1);
            names_.push_back(std::move(name));
        }
    }

    std::uint32_t tasks() const override { return static_cast<std::uint32_t>(calls_.size()); }
    std::string task_name(std::uint32_t task) const override { return names_[task]; }
    void begin() override { state_.make(); }
    void run(std::uint32_t task) override {
        for (const numbered_call& c : calls_[task]) state_.call(c.action, c.argument);
    }
    void check() override { state_.check(); }
    void end() override { state_.destroy(); }
    bool has_destructor() const override { return state_.type().has_destructor; }
    schedule blank() const override {
        return {state_.type().name(), fingerprint(state_.type()), text_, {}, {}};
    }

private:
    std::string text_;
    const numbered_program calls_;
    std::vector<std::string> names_;
    workload_state state_;
};

/// Plain functions, one per task. The state that they share belongs to the caller, and outlives
/// executions.
class function_subject final : public subject {
public:
    explicit function_subject(std::span<const std::function<void()>> tasks) : tasks_(tasks) {}

    std::uint32_t tasks() const override { return static_cast<std::uint32_t>(tasks_.size()); }
    std::string task_name(std::uint32_t) const override { return {}; }
    void begin() override {}
    void run(std::uint32_t task) override { tasks_[task](); }
    void check() override {}
    void end() override {}
    schedule blank() const override { return {}; }

private:
    std::span<const std::function<void()>> tasks_;
};

}  // namespace wedge
