// What the tasks of an execution came to, kept to compare the next execution with it.
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

/// What the code of a subject does next by itself, as an execution shows it.
struct trace_point {
    enum class sort : std::uint8_t {
        step,    ///< a task is about to take a step
        choice,  ///< a task asks for a choice among `other`
        end,     ///< a task has ended
        thrown,  ///< a task or the check threw
        over,    ///< the execution is over, and nothing was given up
    };

    std::uint32_t lock = 0;       ///< its ordinal; 0: none
    std::uint32_t condition = 0;  ///< likewise
    std::uint32_t other = 0;
    std::uint32_t line = 0;
    const char* text = "";  ///< the file of the step, or why there is a choice
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

/// Two executions that were alike, decisions and all, until one task went another way.
struct difference {
    trace_point before;
    trace_point now;
    std::size_t decisions = 0;  ///< how many were alike
};

/// Compares each execution with the one before it, as far as both took the same decisions. What a
/// deterministic subject does is a function of the decisions, so there the two must be alike.
///
/// A depth-first search repeats a part of its last path each time: all its prefixes are compared.
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

    /// After `goes_on_with` was false: whether the decisions are to blame, and else notes how the
    /// executions differ.
    [[gnu::noinline, gnu::cold]] bool differs(const trace_point& now, const decisions& made) {
        const trace_point before = seen_[at_];
        along_until_ = 0;
        keep(now);
        if (made.size() > made_.size() || !std::equal(made.begin(), made.end(), made_.begin()))
            return false;
        if (before.what == trace_point::sort::choice && now.what == before.what &&
            before.task == now.task && before.other == now.other &&
            std::strcmp(before.text, now.text) == 0)
            return false;  // the same words at another address
        difference_ = difference{before, now, made.size()};
        return true;
    }

    /// The points of this execution so far.
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

    inline_vector<trace_point, 64> seen_;  // the first `at_` of this execution, then of the last
    decisions made_;                       // of the last execution
    std::size_t at_ = 0;
    std::size_t along_until_ = 0;  // so many of the last execution's are compared; 0: no more
    std::optional<difference> difference_;
};

}  // namespace wedge
