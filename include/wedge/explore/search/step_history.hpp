// The steps of an execution in their happens-before order, and the pairs that could be reversed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "wedge/explore/engine/lock_table.hpp"
#include "wedge/explore/search/strategy.hpp"

namespace wedge {

/// Steps are numbered from 1. Two steps are ordered if they are of one task, if they do not
/// commute, if one starts the other's task or waits for its end, or through a third step.
///
/// The order is kept as vector clocks: the clock of a step names, for each task, that task's last
/// step before it.
class step_history {
public:
    std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(steps_.size()); }

    /// Forgets all steps after the first `n`.
    void truncate(std::uint32_t n) {
        for (; size() > n; steps_.pop_back()) {
            const taken_step& last = steps_.back();
            last_of_task_[last.task] = last.before_of_task;
            if (last.touched.touches_all) last_on_all_ = last.before_on_all;
            if (last.touched.lock != 0) last_on(last.touched.lock, false) = last.before_on_lock;
            if (last.touched.condition != 0)
                last_on(last.touched.condition, true) = last.before_on_condition;
        }
        clocks_.resize(std::size_t{n} * width_);
        while (!started_by_.empty() && started_by_.back() > n) started_by_.pop_back();
    }

    /// Notes the number of existing tasks. The last step has started the new ones.
    void see_tasks(std::size_t n) {
        if (n > width_) widen(n);
        if (last_of_task_.size() < n) last_of_task_.resize(n);
        while (started_by_.size() < n) started_by_.push_back(size());
    }

    void add(const task& who) {
        const operation& next = who.pending;
        const std::uint32_t task = who.ordinal;
        taken_step taken{.task = task,
                         .touched = step_footprint::of(next),
                         .before_of_task = last_of_task_[task],
                         .before_on_all = last_on_all_,
                         .gives_back = gives_back(who),
                         .excludes = excludes(who)};
        load_past(task);
        join_past(last_on_all_);
        if (taken.touched.touches_all) {
            for (const std::uint32_t last : last_of_task_) join_past(last);
            last_on_all_ = size() + 1;
        }
        if (next.what == step::join && next.other < last_of_task_.size())
            join_past(last_of_task_[next.other]);
        const auto link = [&](std::uint32_t& last, std::uint32_t taken_step::*before) {
            taken.*before = last;
            for (std::uint32_t k = last; k != 0; k = steps_[k - 1].*before) {
                if (taken.touched.commutes_with(steps_[k - 1].touched)) continue;
                join_past(k);
                if (!steps_[k - 1].touched.is_read) break;  // all before it are ordered before it
            }
            last = size() + 1;
        };
        if (taken.touched.lock != 0)
            link(last_on(taken.touched.lock, false), &taken_step::before_on_lock);
        if (taken.touched.condition != 0)
            link(last_on(taken.touched.condition, true), &taken_step::before_on_condition);
        steps_.push_back(taken);
        last_of_task_[task] = size();
        past_[task] = size();
        clocks_.insert(clocks_.end(), past_.begin(), past_.end());
    }

    /// Calls `visit(step, tasks)` for each earlier step that does not commute with the pending step
    /// of a task, could have come after it, and is not ordered before it through a third step. The
    /// exploration of the reverse order may begin with any of `tasks` at the place of that step.
    template <class Visit>
    void for_each_race(const task& who, Visit visit) {
        const step_footprint next = step_footprint::of(who.pending);
        load_past(who.ordinal);
        const auto reverse = [&](std::uint32_t k) {
            if (past_[steps_[k - 1].task] < k) visit(k, beginnings(k, who.ordinal, next));
        };
        if (next.touches_all)
            for (std::uint32_t k = size(); k != 0; --k) reverse(k);
        for (std::uint32_t k = last_on_all_; k != 0; k = steps_[k - 1].before_on_all) reverse(k);
        const auto walk = [&](std::uint32_t last, std::uint32_t taken_step::*before) {
            for (std::uint32_t k = last; k != 0; k = steps_[k - 1].*before) {
                const taken_step& earlier = steps_[k - 1];
                if (earlier.touched.commutes_with(next)) continue;
                if (past_[earlier.task] < k) {
                    if (earlier.gives_back && waits_for_holder(who.pending)) continue;
                    reverse(k);
                    // Any step but the acquire of a free lock may be what made this step possible
                    // at all. Then a step further back could have come later.
                    if (!earlier.excludes) continue;
                    join_past(k);
                }
                if (!earlier.touched.is_read) break;
            }
        };
        if (next.lock != 0) walk(last_on(next.lock, false), &taken_step::before_on_lock);
        if (next.condition != 0)
            walk(last_on(next.condition, true), &taken_step::before_on_condition);
    }

private:
    struct taken_step {
        std::uint32_t task = 0;
        step_footprint touched;
        std::uint32_t before_of_task = 0;  // the previous step of its task; 0: none
        std::uint32_t before_on_all = 0;
        std::uint32_t before_on_lock = 0;
        std::uint32_t before_on_condition = 0;
        bool gives_back = false;
        bool excludes = false;
    };

    /// Returns the number of the last step that has touched a lock or a condition; 0: no step has.
    std::uint32_t& last_on(std::uint32_t instance, bool is_condition) {
        const std::uint32_t maker = lock_table::maker_of(instance);
        const std::size_t place = std::size_t{lock_table::number_of(instance)} * 2 + is_condition;
        if (maker < last_on_.size() && place < last_on_[maker].size()) [[likely]]
            return last_on_[maker][place];
        return added(maker, place);
    }
    [[gnu::noinline, gnu::cold]] std::uint32_t& added(std::uint32_t maker, std::size_t place) {
        if (last_on_.size() <= maker) last_on_.resize(std::size_t{maker} + 1);
        last_on_[maker].resize(place + 1);
        return last_on_[maker][place];
    }

    /// Returns whether a waiter can go on only when the holder has released the lock. Not with a
    /// queue, which a blocked acquire joins at once; any readers-writer lock may have one, by its
    /// policy.
    static bool has_only_holders(const lock_identity& lock) {
        switch (lock.kind()) {
            case lock_kind::mutex:
            case lock_kind::recursive_mutex:
            case lock_kind::spinlock:
            case lock_kind::raw_spinlock: return true;
            default: return false;
        }
    }
    /// Returns whether the step is a release of a lock by its holder: it is no alternative to an
    /// acquire that waits for the lock.
    static bool gives_back(const task& who) {
        return who.pending.what == step::release && has_only_holders(*who.pending.lock) &&
               holds_wanted(who);
    }
    /// Returns whether the acquire excludes other tasks. Not if its holder takes the lock once
    /// more: the first acquire excludes them.
    static bool excludes(const task& who) {
        return waits_for_holder(who.pending) && has_only_holders(*who.pending.lock) &&
               !holds_wanted(who);
    }
    static bool holds_wanted(const task& who) {
        return std::any_of(who.held.begin(), who.held.end(), [&](const held_lock& held) {
            return held.instance == who.pending.lock->instance();
        });
    }
    static bool waits_for_holder(const operation& next) {
        return next.what == step::acquire && !next.timed;
    }

    /// Loads everything that is ordered before a task's next step, without its pending operation.
    void load_past(std::uint32_t task) {
        const std::uint32_t last =
            last_of_task_[task] != 0 ? last_of_task_[task] : started_by_[task];
        if (last != 0)
            std::copy_n(clock_of(last), width_, past_.begin());
        else
            std::fill(past_.begin(), past_.end(), 0);
    }
    void join_past(std::uint32_t step) {
        if (step == 0) return;
        const std::uint32_t* const clock = clock_of(step);
        for (std::size_t i = 0; i < width_; ++i) past_[i] = std::max(past_[i], clock[i]);
    }
    const std::uint32_t* clock_of(std::uint32_t step) const {
        return clocks_.data() + std::size_t{step - 1} * width_;
    }

    /// Returns the tasks that may come first, of the steps not ordered after `step`, and then the
    /// task's.
    const std::vector<std::uint32_t>& beginnings(std::uint32_t step, std::uint32_t task,
                                                 const step_footprint& next) {
        const std::uint32_t reversed = steps_[step - 1].task;
        first_.assign(width_, 0);
        beginnings_.clear();
        const auto is_first = [&](const std::uint32_t* clock, std::uint32_t of) {
            for (std::uint32_t i = 0; i < width_; ++i)
                if (i != of && first_[i] != 0 && clock[i] >= first_[i]) return false;
            return true;
        };
        bool is_behind = false;  // the task's next step, of one that is not behind `step`
        for (std::uint32_t k = step + 1; k <= size(); ++k) {
            const std::uint32_t* const clock = clock_of(k);
            const std::uint32_t of = steps_[k - 1].task;
            if (clock[reversed] >= step) continue;
            is_behind = is_behind || !steps_[k - 1].touched.commutes_with(next);
            if (first_[of] != 0) continue;
            if (is_first(clock, of)) beginnings_.push_back(of);
            first_[of] = k;
        }
        if (!is_behind && first_[task] == 0 && is_first(past_.data(), task))
            beginnings_.push_back(task);
        return beginnings_;
    }

    void widen(std::size_t n) {
        const std::size_t wider = std::max<std::size_t>(n, width_ * 2);
        std::vector<std::uint32_t> clocks(steps_.size() * wider);
        for (std::size_t i = 0; i < steps_.size(); ++i)
            std::copy_n(clocks_.begin() + static_cast<std::ptrdiff_t>(i * width_), width_,
                        clocks.begin() + static_cast<std::ptrdiff_t>(i * wider));
        clocks_ = std::move(clocks);
        width_ = wider;
        past_.resize(wider);
    }

    std::vector<taken_step> steps_;
    std::vector<std::uint32_t> clocks_;  // `width_` numbers a step
    std::size_t width_ = 0;
    std::vector<std::uint32_t> last_of_task_;
    std::vector<std::uint32_t> started_by_;  // by task: a step; rising
    // By the maker of an object and its number, as a lock and as a condition.
    std::vector<std::vector<std::uint32_t>> last_on_;
    std::uint32_t last_on_all_ = 0;
    std::vector<std::uint32_t> past_;
    std::vector<std::uint32_t> first_;
    std::vector<std::uint32_t> beginnings_;
};

}  // namespace wedge
