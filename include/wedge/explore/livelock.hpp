// Notices that tasks retry for ever: the same state again and again, and nobody gets anywhere.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "wedge/event/finding.hpp"
#include "wedge/task/task.hpp"

namespace wedge {

/// Watches the states of one execution.
///
/// Where the program's variables are not part of the state, a livelock is never more than
/// observed: a loop that gives up after more than `repeats_max` tries is taken for one.
class livelock_watch {
public:
    void begin_execution() {
        times_.clear();
        last_of_task_.clear();
        steps_ = 0;
    }

    /// Somebody got somewhere.
    void progress() { times_.clear(); }

    /// A task has taken a step.
    ///
    /// @param got_nowhere  a try that failed. A yield is none: loops over it may well end
    void step_taken(std::uint32_t task, const operation& taken, bool got_nowhere) {
        if (last_of_task_.size() <= task) last_of_task_.resize(task + 1);
        last_of_task_[task].step = ++steps_;
        if (!got_nowhere) return;
        last_of_task_[task].retry = steps_;
        last_of_task_[task].retried = taken;
    }

    /// Whether this state has been seen so often that tasks move in a circle: each of them that
    /// could go on somewhere in it has taken a step, and if variables are not seen, has retried.
    ///
    /// @param is_whole  the hash is of everything, variables included
    bool is_in_circle(std::uint64_t state, bool is_whole,
                      std::span<const std::uint32_t> enabled) {
        occurrence& here = times_[state];
        const std::uint64_t before = here.last;
        here.last = steps_;
        circle_from_ = before;
        for (const std::uint32_t each : enabled) {
            if (last_of_task_.size() <= each) last_of_task_.resize(each + 1);
            last_of_task_[each].enabled = steps_;
        }
        bool is_fair = true;
        for (const last_steps& each : last_of_task_) {
            if (each.enabled > before && each.step <= before) is_fair = false;
            if (!is_whole && each.step > before && each.retry <= before) is_fair = false;
        }
        here.times = is_fair ? here.times + 1 : 1;
        return here.times > repeats_max;
    }

    /// So many rounds of a circle are enough for `is_in_circle`.
    static constexpr unsigned rounds = 22;

    /// What the tasks of the circle have tried last in vain, in the order of their ordinals.
    std::vector<operation> retries() const {
        std::vector<operation> all;
        for (const last_steps& each : last_of_task_)
            if (each.retry > circle_from_) all.push_back(each.retried);
        return all;
    }

private:
    // One and three took a correct loop that waits for a flag for a livelock.
    static constexpr std::uint32_t repeats_max = 20;

    struct occurrence {
        std::uint64_t last = 0;
        std::uint32_t times = 0;
    };
    struct last_steps {
        std::uint64_t enabled = 0;  // when it could go on last
        std::uint64_t step = 0;
        std::uint64_t retry = 0;
        operation retried;
    };

    std::unordered_map<std::uint64_t, occurrence> times_;
    std::vector<last_steps> last_of_task_;
    std::uint64_t steps_ = 0;
    std::uint64_t circle_from_ = 0;  // the step of the same state before this one
};

/// The finding of an execution that ended in such a circle.
///
/// @param stuck  how the tasks stand, as for a deadlock
inline finding describe_livelock(finding stuck, std::span<const operation> retries) {
    stuck.kind = finding_kind::livelock;
    stuck.cycle.clear();
    stuck.what.clear();
    std::vector<std::string> places;
    for (const operation& each : retries) {
        const lock_class cls = lock_class::from_id(each.lock->class_id());
        if (stuck.what.find(cls.name()) == std::string::npos)
            stuck.what += (stuck.what.empty() ? "" : ", ") + cls.name();
        places.push_back(cls.name() + "@" + to_string(each.where));
    }
    stuck.what = "tasks retry for ever and never get " + stuck.what;
    // Sorted, since it does not matter which task retries which of them.
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    stuck.signature = name_of(stuck.kind);
    for (const std::string& each : places) stuck.signature += " " + each;
    return stuck;
}

}  // namespace wedge
