// Records an execution that hung: the steps of each of its tasks.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "wedge/explore/engine/controller.hpp"
#include "wedge/explore/search/replay.hpp"

namespace wedge::scenario {

/// A step that a task has taken, or that it waits in.
struct recorded_step {
    step what{};
    mode how = mode::exclusive;
    std::uint32_t instance = 0;   ///< of the lock or the count
    std::uint32_t condition = 0;  ///< of a wait or a notification
    std::uint32_t other = 0;      ///< the units given, or the task that was joined or spawned
    bool has_succeeded = true;    ///< of a try or a timed wait
    bool is_woken = true;         ///< of a wait for a condition
};

/// The object of a step.
struct recorded_object {
    lock_kind kind{};
    mode how = mode::exclusive;  ///< the most shared mode in which it was taken
    std::string class_name;
    std::uint32_t count = 0;  ///< its initial count
};

/// All steps of an execution, by task and in their order.
struct recorded_run {
    std::map<std::uint32_t, std::vector<recorded_step>> steps;
    std::map<std::uint32_t, recorded_object> objects;  ///< by instance
    std::map<std::uint32_t, std::string> names;        ///< of tasks
    std::map<std::uint32_t, std::uint32_t> spawned;    ///< by task: the task that spawned it
    std::set<std::uint32_t> idle;                      ///< daemons without work at the end
    std::set<std::uint32_t> open;  ///< tasks whose last acquire or wait did not end
};

namespace detail {

/// Notes which acquires and waits end, and which of them fail.
class step_listener final : public sink {
public:
    explicit step_listener(recorded_run& into) : sink(reader::trace), into_(into) {}

    void on(task& self, const event& step) noexcept override {
        const bool has_failed =
            step.kind == event_kind::try_failed || step.kind == event_kind::failed;
        std::vector<recorded_step>& all = into_.steps[self.ordinal];
        const bool is_end = has_failed || step.kind == event_kind::acquired ||
                            step.kind == event_kind::try_acquired || step.kind == event_kind::wake;
        if (is_end) into_.open.erase(self.ordinal);
        if (has_failed && !all.empty()) all.back().has_succeeded = false;
        if (step.kind == event_kind::spawn)
            into_.spawned[static_cast<std::uint32_t>(step.payload)] = self.ordinal;
        if (step.kind != event_kind::spawn || all.empty()) return;
        all.back().other = static_cast<std::uint32_t>(step.payload);
    }

private:
    recorded_run& into_;
};

/// Repeats a schedule and records each step.
class recording_replay final : public search_strategy {
public:
    recording_replay(std::span<const decision> decisions, recorded_run& into)
        : along_(decisions, replay_mode::strict), into_(into) {}

    bool new_execution() override { return along_.new_execution(); }
    std::uint32_t next_task(const choice_point& at) override {
        const std::uint32_t next = along_.next_task(at);
        if (next != no_task) add(*at.tasks[next]);
        return next;
    }
    std::uint32_t choose(std::uint32_t n) override { return along_.choose(n); }

    /// Removes the steps that tasks wait in, which were not taken. A wait for a condition has
    /// begun.
    void got_stuck(std::span<const std::uint32_t> waiting,
                   std::span<const task* const> tasks) override {
        for (const std::uint32_t each : waiting) {
            if (tasks[each]->pending.what != step::wait)
                add(*tasks[each]);
            else if (!into_.steps[each].empty())
                into_.steps[each].back().is_woken = false;
            if (tasks[each]->is_idle) into_.idle.insert(each);
        }
    }

private:
    void add(const task& who) {
        const operation& next = who.pending;
        std::vector<recorded_step>& all = into_.steps[who.ordinal];
        into_.names[who.ordinal] = who.title();
        if (next.what == step::access || next.what == step::yield || next.what == step::interrupt)
            return;
        // Some steps are taken twice: once to queue or to go to sleep, and then to get the lock.
        const std::uint32_t lock = next.lock == nullptr ? 0 : next.lock->instance();
        const bool is_again = into_.open.contains(who.ordinal) && !all.empty() &&
                              all.back().what == next.what && all.back().instance == lock;
        if (is_again) return;
        if (next.what == step::acquire || next.what == step::wait)
            into_.open.insert(who.ordinal);
        else
            into_.open.erase(who.ordinal);
        recorded_step made{next.what, next.how, 0, 0, next.other};
        if (next.lock != nullptr) made.instance = note(*next.lock, next.how);
        if (next.condition != nullptr) made.condition = note(*next.condition, mode::exclusive);
        all.push_back(made);
    }
    std::uint32_t note(const lock_identity& object, mode how) {
        recorded_object& known = into_.objects[object.instance()];
        known.kind = object.kind();
        known.class_name = lock_class::from_id(object.class_id()).name();
        known.count = object.initial_count();
        if (is_shared(how)) known.how = how;
        return object.instance();
    }

    schedule_replay along_;
    recorded_run& into_;
};

}  // namespace detail

/// Repeats the execution of a finding and records it. Empty if the program leaves the schedule.
inline recorded_run record(subject& what, const schedule& along) {
    recorded_run made;
    detail::step_listener heard(made);
    detail::recording_replay how(along.decisions, made);
    controller(what, substrate::automatic, &heard, ~std::uint64_t{0}, along.open).run(how);
    return made;
}

}  // namespace wedge::scenario
