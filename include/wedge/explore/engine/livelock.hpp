// Notices that tasks retry forever: a state comes again and again without progress.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "wedge/core/finding.hpp"
#include "wedge/core/lock_state.hpp"
#include "wedge/core/task.hpp"

namespace wedge {

/// The last thing that a task did in a cycle of states.
struct retry_of_task {
    std::uint32_t task = 0;
    operation what;           ///< without a lock it has no object
    bool has_failed = false;  ///< a try, or a wait that gave up; otherwise the task only read
};

/// Watches the states of one execution.
///
/// If the program's variables are not part of the state, a loop may count its tries unseen. A
/// livelock is then reported only at the bound of steps, if the second half of the execution was
/// one cycle, and only as observed.
class livelock_watch {
public:
    void begin_execution() {
        times_.clear();
        last_of_task_.clear();
        kept_out_.clear();
        steps_ = 0;
    }

    /// Returns the number of rounds that show a livelock again.
    static std::uint64_t enough_rounds(const schedule& of) {
        return 2 * (of.decisions.size() - of.circle) + 2 * rounds * of.circle;
    }

    /// Returns the bound of steps for the replay of a schedule.
    static std::uint64_t bound_of(const schedule& of, std::uint64_t steps_max) {
        return of.circle != 0 ? enough_rounds(of) : steps_max;
    }

    /// Called when a task made progress.
    void progress() { times_.clear(); }

    /// Called after a task has taken a step.
    ///
    /// @param has_failed  it was a try, or a wait that gave up
    void step_taken(std::uint32_t task, const operation& taken, bool has_failed) {
        if (last_of_task_.size() <= task) last_of_task_.resize(task + 1);
        last_steps& mine = last_of_task_[task];
        mine.step = ++steps_;
        if (has_failed) {
            mine.retry = steps_;
            mine.retried = taken;
        } else if (changes_nothing(taken)) {
            mine.look = steps_;
            if (taken.lock == nullptr) return;
            mine.read = steps_;
            mine.looked = taken;
        } else {
            mine.change = steps_;
        }
    }

    /// Returns whether this state has come so often that tasks go around a cycle of states. Each
    /// task that could go on somewhere in it has taken a step. If variables are not seen, each task
    /// has retried, or has only read.
    ///
    /// @param is_whole  the hash covers everything, including variables
    /// @param is_last  the bound of steps is reached
    /// @param tasks  where the tasks stand. A cycle of whole states is left where most tasks want
    ///     something that they cannot get, so that the report shows what they retry
    bool is_in_circle(std::uint64_t state, bool is_whole, bool is_last,
                      std::span<const std::uint32_t> enabled, std::span<const task* const> tasks) {
        kept_out_.resize(steps_ + 1);
        kept_out_.back() = static_cast<std::uint32_t>(std::ranges::count_if(tasks, &is_kept_out));
        for (const std::uint32_t each : enabled) {
            if (last_of_task_.size() <= each) last_of_task_.resize(each + 1);
            last_of_task_[each].enabled = steps_;
        }
        occurrence& here = times_[state];
        if (here.times == 0 || all_have_moved_since(here.last)) {
            const bool is_round =
                here.times != 0 && (is_whole || nobody_got_anywhere_since(here.last));
            here.times = is_round ? here.times + 1 : 1;
            if (!is_round) here.since = steps_;
            here.round = steps_ - here.last;
            here.last = steps_;
        }
        circle_from_ = steps_ - here.round;
        if (here.times <= repeats_max) return false;
        const auto round = kept_out_.end() - static_cast<std::ptrdiff_t>(this->round());
        if (is_whole && !is_last && *std::max_element(round, kept_out_.end()) > kept_out_.back())
            return false;
        return is_whole || (is_last && steps_ - here.since >= steps_ / 2);
    }

    /// Returns the number of steps of the last round of the cycle.
    std::uint64_t round() const noexcept { return steps_ - circle_from_; }

    /// This number of rounds is enough for `is_in_circle`.
    static constexpr unsigned rounds = 24;

    /// Returns what the tasks of the cycle have last tried in vain, or else read, in the order of
    /// their ordinals.
    std::vector<retry_of_task> retries() const {
        std::vector<retry_of_task> all;
        for (std::uint32_t i = 0; i < last_of_task_.size(); ++i) {
            const last_steps& each = last_of_task_[i];
            if (each.retry > circle_from_)
                all.push_back({i, each.retried, true});
            else if (each.look > circle_from_)
                all.push_back({i, each.read > circle_from_ ? each.looked : operation{}, false});
            else if (each.step > circle_from_)
                all.push_back({i, {}, false});
        }
        return all;
    }

private:
    // With 1 and with 3, a correct loop that waits for a flag was taken for a livelock.
    static constexpr std::uint32_t repeats_max = 20;

    /// Returns whether the step is a read of a variable, or a yield: a task that does nothing else
    /// makes no progress by itself.
    static bool changes_nothing(const operation& taken) noexcept {
        return taken.what == step::yield || (taken.what == step::access && is_shared(taken.how));
    }

    static bool is_kept_out(const task* who) {
        const operation& next = who->pending;
        const bool wants =
            next.lock != nullptr && (next.what == step::acquire || next.what == step::try_acquire);
        return wants && !next.lock->modelled().can_acquire(who->ordinal, next.how);
    }
    bool all_have_moved_since(std::uint64_t before) const {
        return std::none_of(last_of_task_.begin(), last_of_task_.end(), [&](const auto& each) {
            return each.enabled > before && each.step <= before;
        });
    }
    bool nobody_got_anywhere_since(std::uint64_t before) const {
        return std::all_of(last_of_task_.begin(), last_of_task_.end(), [&](const auto& each) {
            return each.retry > before || each.change <= before;
        });
    }

    struct occurrence {
        std::uint64_t last = 0;   // the step at which the last round ended
        std::uint64_t round = 0;  // the steps of that round
        std::uint64_t since = 0;  // the step at which the first of `times` began
        std::uint32_t times = 0;
    };
    struct last_steps {
        std::uint64_t enabled = 0;  // when it could last go on
        std::uint64_t step = 0;
        std::uint64_t retry = 0;   // the last step that failed
        std::uint64_t look = 0;    // the last step that changes nothing
        std::uint64_t read = 0;    // the last such step that has an object
        std::uint64_t change = 0;  // the last other step
        operation retried;
        operation looked;
    };

    std::unordered_map<std::uint64_t, occurrence> times_;
    std::vector<last_steps> last_of_task_;
    std::vector<std::uint32_t> kept_out_;  // by step: the number of tasks that could not go on
    std::uint64_t steps_ = 0;
    std::uint64_t circle_from_ = 0;  // the step at which the last round began
};

namespace detail {

/// Returns the name of the object of a step; empty if it has none.
inline std::string object_of(const operation& step_of) {
    const lock_identity* const object =
        step_of.what == step::wait ? step_of.condition : step_of.lock;
    return object == nullptr ? "" : lock_class::from_id(object->class_id()).name();
}

/// Returns which tasks retry what, and then which tasks wait meanwhile.
inline std::string text_of_circle(const finding& stuck, std::span<const retry_of_task> retries) {
    std::vector<std::string> parts;
    std::vector<bool> goes_round(stuck.tasks.size());
    for (const retry_of_task& each : retries) {
        const std::string object = object_of(each.what);
        goes_round[each.task] = true;
        parts.push_back(stuck.tasks[each.task].name + (object.empty()    ? " runs on"
                                                       : each.has_failed ? " never gets " + object
                                                                         : " looks at " + object));
    }
    for (std::size_t i = 0; i < stuck.tasks.size(); ++i) {
        const task_report& task = stuck.tasks[i];
        if (goes_round[i] || task.where.line == 0) continue;
        if (task.wanted)
            parts.push_back(task.name + " waits for " + task.wanted->class_name);
        else if (!task.waits_for.empty())
            parts.push_back(task.name + " waits for " + task.waits_for);
    }
    std::string all;
    for (const std::string& each : parts) all += (all.empty() ? "" : ", ") + each;
    return all;
}

}  // namespace detail

/// Returns the finding of an execution that ended in such a cycle. It is a livelock and no deadlock
/// as long as one task retries, even if all other tasks wait.
///
/// @param stuck  how the tasks stand, as for a deadlock
inline finding describe_livelock(finding stuck, std::span<const retry_of_task> retries) {
    stuck.kind = finding_kind::livelock;
    stuck.cycle.clear();
    std::vector<std::string> objects;
    for (const retry_of_task& each : retries)
        if (std::string name = detail::object_of(each.what); !name.empty())
            objects.push_back(std::move(name));
    const std::string who = detail::text_of_circle(stuck, retries);
    stuck.what = "tasks retry forever" + (who.empty() ? "" : ": " + who);
    // Sorted, since it does not matter which task retries which of them.
    std::sort(objects.begin(), objects.end());
    objects.erase(std::unique(objects.begin(), objects.end()), objects.end());
    stuck.signature = name_of(stuck.kind);
    for (const std::string& each : objects) stuck.signature += " " + each;
    return stuck;
}

}  // namespace wedge
