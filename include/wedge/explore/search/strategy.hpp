// The interface of a search strategy, which answers every decision of an execution.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "wedge/core/lock_state.hpp"
#include "wedge/core/schedule.hpp"
#include "wedge/core/task.hpp"
#include "wedge/explore/engine/task_set.hpp"

namespace wedge {

inline constexpr std::uint32_t no_task = ~0U;

/// The parts of a choice point that are computed only for a strategy that asks for them.
class whole_view {
public:
    whole_view() = default;
    whole_view(const whole_view&) = delete;
    whole_view& operator=(const whole_view&) = delete;

    /// Returns a hash of everything.
    virtual std::uint64_t state() = 0;
    /// By task, after `state`: see whole_state.
    virtual std::span<const std::uint32_t> places() const = 0;
    /// See persistent_sets.
    virtual std::uint32_t sufficient() = 0;
    virtual task_set enough() = 0;
    /// Returns a task in a section that all other tasks see as one step; `no_task` if no task is in
    /// such a section. It suffices to try the next step of this task, also in a search for endless
    /// runs.
    virtual std::uint32_t within_section() = 0;

protected:
    ~whole_view() = default;
};

/// What a strategy may look at when it picks the next task.
struct choice_point {
    std::span<const std::uint32_t> enabled;  ///< ordinals, rising; never empty
    std::uint32_t running = no_task;  ///< the task that took the last step; it may not be enabled
    std::span<const task* const> tasks;  ///< all tasks by ordinal; `pending` is their next step
    bool has_yielded = false;  ///< the last step was a yield, a failed try or a wait that gave up
    bool has_progressed = false;  ///< a task said so since the last step began
    whole_view* whole = nullptr;  ///< null: the subject does not tell its state
};

/// Answers every non-determinism of an execution. The task that runs calls it, one at a time.
///
/// A strategy must implement `new_execution`, `next_task` and `choose`. The other functions have
/// defaults. A new strategy is one file in this directory with a class like this, and a `case` in
/// `make_strategy` (explore/search/make_strategy.hpp).
class search_strategy {
public:
    search_strategy() = default;
    search_strategy(const search_strategy&) = delete;
    search_strategy& operator=(const search_strategy&) = delete;
    virtual ~search_strategy() = default;

    /// Begins an execution; returns false if nothing is left to try.
    virtual bool new_execution() = 0;

    /// Returns the ordinal of the task that takes its pending step, one of `enabled`; or `no_task`
    /// to give the execution up, since an equivalent one was tried.
    virtual std::uint32_t next_task(const choice_point& at) = 0;

    /// Returns the next task where the strategy repeats an earlier execution at an equal point, and
    /// then `next_task` is not called; else `no_task`.
    virtual std::uint32_t repeated() { return no_task; }

    /// Returns whether the strategy or the search for livelocks looks at `task::held`. If not, an
    /// execution that is played through leaves it empty.
    virtual bool looks_at_holds() const noexcept { return true; }

    /// Returns how many decisions the execution that begins has in common with this strategy's
    /// execution before it, if the strategy can begin after any of these; 0: it cannot. A strategy
    /// that looks at holds, or for livelocks, cannot.
    virtual std::size_t resumes_after() const noexcept { return 0; }
    /// Begins the execution after so many of these decisions.
    virtual void resume(std::size_t /*decisions*/) noexcept {}
    /// Returns whether the search is to come back to the last decision, to try another task there.
    virtual bool comes_back() const noexcept { return false; }

    /// Returns a number in [0, n); n is at least 2.
    virtual std::uint32_t choose(std::uint32_t n) = 0;

    /// While true, the strategy is not asked if the running task can go on: that task does.
    bool runs_on() const noexcept { return runs_on_; }

    /// Returns whether the execution ends as a livelock when all tasks retry forever.
    virtual bool looks_for_livelocks() const noexcept { return false; }

    /// Returns the number of states that were met; 0 if the strategy does not know them.
    virtual std::uint64_t states() const noexcept { return 0; }

    /// After an exhaustive search: returns the decisions of a fair run that never ends and makes no
    /// progress, with this number of rounds of its cycle. Empty: there is none, or it is unknown.
    virtual std::vector<decision> livelock(unsigned /*rounds*/) const { return {}; }

    /// Called when no task can go on, and these tasks wait.
    virtual void got_stuck(std::span<const std::uint32_t> /*waiting*/,
                           std::span<const task* const> /*tasks*/) {}

    /// Returns true if `new_execution` returned false because every schedule and choice was tried.
    virtual bool is_exhaustive() const noexcept { return false; }
    /// Returns true if `new_execution` returned false because the bound on what is kept was
    /// reached.
    virtual bool is_full() const noexcept { return false; }
    /// Returns whether a search that expects every run to end has met one that need not.
    virtual bool has_circled() const noexcept { return false; }
    /// Called before an execution of another strategy, and before each of its steps, so that the
    /// strategy may learn from them.
    virtual void observe_execution() {}
    virtual void observe_step(const task& /*who*/) {}
    /// A task has thrown, so the execution ends, and these have not ended.
    virtual void has_failed(std::span<const std::uint32_t> /*left*/,
                            std::span<const task* const> /*tasks*/) {}
    /// Returns whether an execution that ends by an exception leaves nothing else untried.
    virtual bool follows_failures() const noexcept { return false; }
    /// Returns whether the claim to have tried everything rests on the current execution. If it
    /// does not, a cut of this execution leaves nothing untried.
    virtual bool counts_for_proof() const noexcept { return true; }
    /// Returns whether some step said that it made progress, as far as the strategy notes it.
    virtual bool has_progressed() const noexcept { return false; }

protected:
    bool runs_on_ = false;
};

/// The objects that a step touches, by their ordinals. Two steps that share none may be swapped.
struct step_footprint {
    std::uint32_t lock = 0;  ///< 0: none
    std::uint32_t condition = 0;
    bool is_read = false;      ///< commutes with other reads of this lock
    bool touches_all = false;  ///< commutes with nothing

    /// Readers of a lock with waiters do not commute: the last waiter that leaves the queue lets in
    /// a reader that would have failed to try, or would have queued.
    static step_footprint of(const operation& next) noexcept {
        const bool takes = next.what == step::acquire || next.what == step::try_acquire;
        const bool is_read =
            is_shared(next.how) && (next.what == step::access || next.what == step::release ||
                                    (takes && next.lock->modelled().queue().empty()));
        return {next.lock != nullptr ? next.lock->instance() : 0,
                next.condition != nullptr ? next.condition->instance() : 0, is_read,
                next.what == step::spawn || next.what == step::interrupt};
    }

    bool commutes_with(const step_footprint& other) const noexcept {
        if (touches_all || other.touches_all) return false;
        if (condition != 0 && condition == other.condition) return false;
        return lock == 0 || lock != other.lock || (is_read && other.is_read);
    }
};

}  // namespace wedge
