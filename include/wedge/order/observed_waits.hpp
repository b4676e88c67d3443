// What executions show about waits: what tasks hold while they wait, and take before they signal.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "wedge/core/hang.hpp"
#include "wedge/core/lock_state.hpp"
#include "wedge/core/runtime.hpp"
#include "wedge/order/checker.hpp"
#include "wedge/order/inferred_waits.hpp"

namespace wedge {

/// Passes the events of executions on to the order checker, and to the inference of what signallers
/// take before they signal (rule 19d).
///
/// It hears every step, also those whose chain the checker knows, so it costs about as much as the
/// checker. An engine lets it hear a part of the executions.
class observed_waits final : public sink {
public:
    explicit observed_waits(checker& order) : sink(reader::order | reader::waits), order_(order) {}

    /// @param numbers  the tasks and locks that are the same in every execution of the program
    void begin_execution(inferred_waits::lasting_numbers numbers) {
        bodies_.clear();
        numbers_ = numbers;
        inferred_.begin_execution(numbers);
    }

    /// Forgets everything, as before executions of another program.
    void reset() {
        bodies_.clear();
        inferred_ = {};
        has_waits_ = false;
    }

    /// Returns whether a task has waited for a signal.
    bool has_waits() const noexcept { return has_waits_; }

    WEDGE_UNSEEN void on(task& self, const event& step) noexcept override {
        if (order_.wants(step.kind)) order_.on(self, step);
        if (self.runtime == nullptr || self.runtime->is_giving_up()) return;
        if (self.ordinal >= tasks_max) return;  // the constructor of a workload
        switch (step.kind) {
            case event_kind::attempt:
            case event_kind::sync:
                if (!is_granted(step)) acquires(self, acquisition_of(step));
                break;
            case event_kind::wait: waits(self, step); break;
            case event_kind::notify:
                if (!is_declared(self))
                    inferred_.signals(body_of(self), self, event_of(*step.lock), step.where);
                break;
            case event_kind::join: joins(self, step); break;
            case event_kind::task_end: ends(self, step); break;
            default: break;
        }
    }

    /// Returns the cycles that inferred sections close. Each of them closes in one instance of
    /// every lock and event, between different tasks.
    ///
    /// @param known  the order without them
    std::vector<finding> findings(const order_graph& known) const {
        if (!has_waits_) return {};
        return inferred_.findings(known, [](const finding& each) { return closes(each.cycle); });
    }

    // What walks of scenarios need too.

    /// Returns whether an acquire is no wait: of a section of a pseudo-lock together with others,
    /// or a second hold.
    static bool is_granted(const event& step) {
        return has(step.with, flags::recursive) ||
               (is_shared(step.how) && lock_class::from_id(step.class_id).options().never_waits);
    }
    /// Returns whether the task is in a section that states what it signals: rule 19 orders that.
    static bool is_declared(const task& self) {
        return std::any_of(self.held.begin(), self.held.end(), [](const held_lock& hold) {
            return lock_class::from_id(hold.class_id).options().is_promise;
        });
    }
    static std::string title_of(const lock_identity& event) {
        return name_of(event.kind()) + (" " + lock_class::from_id(event.class_id()).name());
    }

private:
    static constexpr std::uint32_t tasks_max = 1U << 16;

    struct known_task {
        inferred_waits::body mine;
        std::string title;
    };

    known_task& known(const task& self) {
        if (self.ordinal >= bodies_.size()) bodies_.resize(self.ordinal + 1);
        known_task& made = bodies_[self.ordinal];
        if (made.title.empty()) made.title = self.title();
        return made;
    }
    inferred_waits::body& body_of(const task& self) { return known(self).mine; }

    inferred_waits::event_id event_of(const lock_identity& event) const {
        return {title_of(event), event.instance(), event.instance() < numbers_.locks};
    }
    inferred_waits::event_id end_of(const std::string& title, std::uint64_t ordinal) const {
        return {"the end of " + name_without_number(title), static_cast<std::uint32_t>(ordinal) + 1,
                ordinal < numbers_.tasks};
    }

    void acquires(const task& self, const acquisition& wanted) {
        inferred_waits::passes(body_of(self), wanted);
        inferred_.nests(self, wanted);
    }

    void waits(const task& self, const event& step) {
        has_waits_ = true;
        inferred_.waits(body_of(self), self, event_of(*step.lock), step.where,
                        !has(step.with, flags::timed), step.lock->kind() == lock_kind::semaphore);
    }
    void joins(const task& self, const event& step) {
        has_waits_ = true;
        // A task that has done nothing so far signals nothing either.
        const bool is_known = step.payload < bodies_.size();
        const std::string title = is_known ? bodies_[step.payload].title : std::string();
        inferred_.waits(body_of(self), self, end_of(title, step.payload), step.where, true, false);
    }
    /// The run of a work has ended, or the task itself.
    void ends(const task& self, const event& step) {
        known_task& who = known(self);
        inferred_.signals(who.mine, self, end_of(who.title, self.ordinal), step.where);
        who.mine = {};
    }

    /// Returns whether each edge begins with the very lock or event at which the edge before it
    /// ends, and no task is in two edges.
    static bool closes(const std::vector<dependency>& cycle) {
        for (std::size_t i = 0; i < cycle.size(); ++i) {
            const dependency& next = cycle[(i + 1) % cycle.size()];
            if (!may_meet(cycle[i].wanted.instance, next.held.instance)) return false;
            for (std::size_t k = 0; k < i; ++k)
                if (cycle[k].task == cycle[i].task) return false;
        }
        return true;
    }

    checker& order_;
    inferred_waits inferred_;
    inferred_waits::lasting_numbers numbers_;
    std::vector<known_task> bodies_;  // of this execution, by ordinal
    bool has_waits_ = false;
};

}  // namespace wedge
