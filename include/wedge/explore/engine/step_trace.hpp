// What the tasks of an execution did, kept to compare the next execution with it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>

#include "wedge/core/inline_vector.hpp"
#include "wedge/core/sanitizer.hpp"
#include "wedge/core/schedule.hpp"
#include "wedge/core/task.hpp"

namespace wedge {

/// What the code of a subject does next by itself.
struct trace_point {
    enum class sort : std::uint8_t {
        step,    ///< a task is about to take a step
        choice,  ///< a task asks for a choice among `other`
        end,     ///< a task has ended
        thrown,  ///< a task or the check threw
        over,    ///< the execution is over, and was not given up
    };

    std::uint32_t lock = 0;       ///< its ordinal; 0: none
    std::uint32_t condition = 0;  ///< likewise
    std::uint32_t other = 0;
    std::uint32_t line = 0;
    const char* text = "";  ///< the file of the step, or the reason for the choice
    std::uint32_t task = 0;
    sort what = sort::step;
    wedge::step step{};
    mode how = mode::exclusive;
    bool timed = false;

    [[gnu::always_inline]] static trace_point of(std::uint32_t task,
                                                 const operation& next) noexcept {
        return {next.lock != nullptr ? next.lock->instance() : 0,
                next.condition != nullptr ? next.condition->instance() : 0,
                next.other,
                next.where.line,
                next.where.file,
                task,
                sort::step,
                next.what,
                next.how,
                next.timed};
    }

    [[gnu::always_inline]] bool is_same_as(const trace_point& other_one) const noexcept {
        return ((lock ^ other_one.lock) | (condition ^ other_one.condition) |
                (other ^ other_one.other) | (line ^ other_one.line) | (task ^ other_one.task)) ==
                   0 &&
               what == other_one.what && step == other_one.step && how == other_one.how &&
               timed == other_one.timed && text == other_one.text;
    }
};

/// Two executions that were alike, with equal decisions, until one task did something else.
struct difference {
    trace_point before;
    trace_point now;
    std::size_t decisions = 0;  ///< the number of equal decisions
};

/// Compares each execution with the one before it, as far as both took equal decisions. The
/// behaviour of a deterministic subject is a function of the decisions, so the two must be alike.
///
/// A depth-first search repeats a part of its last path each time, so all of that part is compared.
class step_trace {
public:
    using decisions = inline_vector<decision, 64>;

    /// @param made  the decisions of the execution before
    void begin_execution(const decisions& made) {
        if (at_ == 0 && made.empty()) return;
        made_ = made;
        along_until_ = at_;
        at_ = 0;
        difference_.reset();
    }

    /// The next execution is compared with none.
    void forget() noexcept {
        at_ = along_until_ = 0;
        difference_.reset();
    }

    /// @return false: the execution before did something else here, or was over
    [[gnu::always_inline]] bool goes_on_with(const trace_point& now) noexcept {
        if (at_ < along_until_ && now.is_same_as(seen_[at_])) [[likely]] {
            ++at_;
            return true;
        }
        if (at_ < along_until_) return false;
        keep(now);
        return true;
    }

    /// Called after `goes_on_with` was false: returns whether equal decisions led to different
    /// behaviour, and then notes how the executions differ.
    [[gnu::noinline, gnu::cold]] bool differs(const trace_point& now, const decisions& made) {
        const trace_point before = seen_[at_];
        along_until_ = 0;
        keep(now);
        if (made.size() > made_.size() || !std::equal(made.begin(), made.end(), made_.begin()))
            return false;
        if (before.what == trace_point::sort::choice && now.what == before.what &&
            before.task == now.task && before.other == now.other &&
            std::strcmp(before.text, now.text) == 0)
            return false;  // equal text at another address
        difference_ = difference{before, now, made.size()};
        return true;
    }

    /// Returns the points of this execution so far.
    const trace_point* points() const noexcept { return seen_.data(); }
    std::size_t size() const noexcept { return at_; }

    const std::optional<difference>& found() const noexcept { return difference_; }

private:
    [[gnu::always_inline]] void keep(const trace_point& now) noexcept {
        if (at_ == seen_.size())
            seen_.push_back(now);
        else
            seen_[at_] = now;
        ++at_;
    }

    // The first `at_` of this execution, then those of the last one.
    inline_vector<trace_point, 64> seen_;
    decisions made_;  // of the last execution
    std::size_t at_ = 0;
    // This many points of the last execution are compared; 0: no more.
    std::size_t along_until_ = 0;
    std::optional<difference> difference_;
};

}  // namespace wedge
