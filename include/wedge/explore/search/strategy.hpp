// The interface of a search strategy: three questions an execution asks.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "wedge/core/schedule.hpp"
#include "wedge/core/task.hpp"
#include "wedge/explore/engine/task_set.hpp"

namespace wedge {

inline constexpr std::uint32_t no_task = ~0U;

/// What is worked out about a choice point only for a strategy that asks.
class whole_view {
public:
    whole_view() = default;
    whole_view(const whole_view&) = delete;
    whole_view& operator=(const whole_view&) = delete;

    /// A hash of everything.
    virtual std::uint64_t state() = 0;
    /// By task, behind `state`: see whole_state.
    virtual std::span<const std::uint32_t> places() const = 0;
    /// See persistent_sets.
    virtual std::uint32_t sufficient() = 0;
    virtual task_set enough() = 0;

protected:
    ~whole_view() = default;
};

/// What a strategy may look at when it picks the next task.
struct choice_point {
    std::span<const std::uint32_t> enabled;  ///< ordinals, rising; never empty
    std::uint32_t running = no_task;         ///< who took the last step; it may not be enabled
    std::span<const task* const> tasks;      ///< all tasks by ordinal; `pending` is their next step
    bool has_yielded = false;  ///< the last step was a yield, a failed try or a wait that gave up
    bool has_progressed = false;  ///< somebody said so since the last step began
    whole_view* whole = nullptr;  ///< null: the subject does not tell its state
};

/// Answers every non-determinism of an execution. Called by whichever task runs, one at a time.
///
/// A new strategy is one file in this folder with a class like this, and one line in
/// `make_strategy` (explore/search/make_strategy.hpp).
class search_strategy {
public:
    search_strategy() = default;
    search_strategy(const search_strategy&) = delete;
    search_strategy& operator=(const search_strategy&) = delete;
    virtual ~search_strategy() = default;

    /// An execution begins. False: there is nothing left to try.
    virtual bool new_execution() = 0;

    /// The ordinal of the task that takes its pending step, one of `enabled`; or `no_task` to give
    /// the execution up, since an equal one was tried.
    virtual std::uint32_t next_task(const choice_point& at) = 0;

    /// The next task where the strategy repeats what it did before, at a point that is the same;
    /// then `next_task` is not asked. Else `no_task`.
    virtual std::uint32_t repeated() { return no_task; }

    /// A number in [0, n); n is at least 2.
    virtual std::uint32_t choose(std::uint32_t n) = 0;

    /// While true it is not asked where the running task can go on: that one does.
    bool runs_on() const noexcept { return runs_on_; }

    /// Whether the execution ends as a livelock when all tasks retry for ever.
    virtual bool looks_for_livelocks() const noexcept { return false; }

    /// How many states were met, by a strategy that knows them; else 0.
    virtual std::uint64_t states() const noexcept { return 0; }

    /// After an exhaustive search: the decisions of a fair run that never ends and gets nowhere,
    /// with so many rounds of its circle. Empty: there is none, or nothing is known.
    virtual std::vector<decision> livelock(unsigned /*rounds*/) const { return {}; }

    /// Nobody can go on, and these wait.
    virtual void got_stuck(std::span<const std::uint32_t> /*waiting*/,
                           std::span<const task* const> /*tasks*/) {}

    /// True when `new_execution` returned false because every schedule and choice was tried.
    virtual bool is_exhaustive() const noexcept { return false; }
    /// True when `new_execution` returned false because as much was kept as may be.
    virtual bool is_full() const noexcept { return false; }
    /// A task has thrown, so the execution ends, and these have not ended.
    virtual void has_failed(std::span<const std::uint32_t> /*left*/,
                            std::span<const task* const> /*tasks*/) {}
    /// Whether an execution that ends by an exception leaves nothing untried elsewhere.
    virtual bool follows_failures() const noexcept { return false; }
    /// Whether some step said that it got somewhere, as far as the strategy notes it.
    virtual bool has_progressed() const noexcept { return false; }

protected:
    bool runs_on_ = false;
};

/// The objects that a step touches, by their ordinals: two steps that share none may be swapped.
struct step_footprint {
    std::uint32_t lock = 0;  ///< 0: none
    std::uint32_t condition = 0;
    bool is_read = false;      ///< commutes with other reads of the same lock
    bool touches_all = false;  ///< commutes with nothing

    static step_footprint of(const operation& next) noexcept {
        const bool is_read =
            is_shared(next.how) && (next.what == step::access || next.what == step::acquire ||
                                    next.what == step::try_acquire || next.what == step::release);
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
