// What is noted about the executions that run.
#pragma once

#include <cstdint>
#include <string>

#include "wedge/explore/engine/execution.hpp"
#include "wedge/explore/engine/known_tasks.hpp"
#include "wedge/explore/engine/nondeterminism.hpp"
#include "wedge/explore/engine/notify_rule.hpp"
#include "wedge/explore/engine/step_model.hpp"
#include "wedge/explore/engine/step_trace.hpp"
#include "wedge/explore/engine/task_scheduler.hpp"

namespace wedge {

/// If tasks share nothing but locks: the points that they reach, so that executions along them need
/// no run. Otherwise, on request: a trace, to compare each execution with the one before it.
class execution_notes {
public:
    execution_notes(const subject& what, const step_model& model, task_scheduler& scheduler)
        : model_(model),
          scheduler_(scheduler),
          known_(what.facts()),
          has_unseen_state_(what.facts().has_unseen_state()),
          what_(what.facts().meets_in_locks_alone() ? sort::points : sort::nothing) {}

    known_tasks& known() noexcept { return known_; }
    [[gnu::always_inline]] bool are_taken() const noexcept { return what_ != sort::nothing; }
    /// Whether executions are compared, the next one or a later one.
    bool are_traces_kept() const noexcept { return keeps_traces_; }
    bool is_trace() const noexcept { return what_ == sort::trace; }

    /// From here on, an execution that differs from the one before it, with equal decisions, ends
    /// by `ending::differs`.
    void compare_executions() noexcept {
        if (what_ == sort::points) return;
        keeps_traces_ = true;
        trace_next(true);
    }
    /// Whether the next executions are compared; a trace costs time.
    void trace_next(bool is_to) noexcept {
        if (!keeps_traces_ || is_to == is_trace()) return;
        what_ = is_to ? sort::trace : sort::nothing;
        scheduler_.compare_executions(is_to);
    }

    void begin_execution(std::size_t tasks) {
        if (what_ == sort::points) known_.begin_execution(tasks);
    }
    /// Called when the task is about to take `pending`.
    [[gnu::always_inline]] void stands(controlled_task& who) {
        if (what_ == sort::points) return known_.stands(who);
        if (who.self.pending.condition != nullptr && has_unseen_state_) look_at(who.self);
        scheduler_.observe(trace_point::of(who.self.ordinal, who.self.pending));
    }
    void took(const controlled_task& who, bool is_taken) {
        if (what_ == sort::points) known_.took(who, is_taken);
    }
    /// Called when the task asks for a choice.
    void asks(std::uint32_t task, std::uint32_t n, const char* why) noexcept {
        if (what_ == sort::trace)
            observe(task, trace_point::sort::choice, n, why != nullptr ? why : "");
    }
    void chose(std::uint32_t task, std::uint32_t n, std::uint32_t answer) {
        if (what_ == sort::points) known_.chose(task, n, answer);
    }
    void ended(controlled_task& who) {
        if (what_ == sort::trace)
            observe(who.self.ordinal, trace_point::sort::end);
        else if (what_ == sort::points)
            known_.stands(who);
    }
    void threw(std::uint32_t task) noexcept {
        if (what_ == sort::trace) observe(task, trace_point::sort::thrown);
    }
    /// Called when the execution is over, including the check.
    void over(ending& how) noexcept {
        if (what_ != sort::trace) return;
        if (how == ending::complete || how == ending::deadlock)
            observe(no_task, trace_point::sort::over);
        if (scheduler_.difference_found()) how = ending::differs;
    }

    /// Returns the finding after `ending::differs`.
    finding difference() const {
        return finding_of_difference(
            *scheduler_.difference_found(),
            [&](std::uint32_t task) {
                return task < model_.tasks().size() ? model_.tasks()[task]->self.title()
                                                    : std::string("set-up");
            },
            [&](std::uint32_t lock) { return lock_class::from_id(model_.class_of(lock)).name(); });
    }

    /// See notify_rule.
    std::string missed_notification() const { return notifies_.broken(); }

private:
    [[gnu::noinline]] void look_at(const task& who) {
        notifies_.look_at(who, scheduler_.trace().points(), scheduler_.trace().size());
    }

    enum class sort : std::uint8_t { nothing, points, trace };

    void observe(std::uint32_t task, trace_point::sort what, std::uint32_t other = 0,
                 const char* text = "") noexcept {
        trace_point now;
        now.task = task;
        now.what = what;
        now.other = other;
        now.text = text;
        scheduler_.observe(now);
    }

    const step_model& model_;
    task_scheduler& scheduler_;
    known_tasks known_;
    const bool has_unseen_state_;
    notify_rule notifies_;
    sort what_;
    bool keeps_traces_ = false;
};

}  // namespace wedge
