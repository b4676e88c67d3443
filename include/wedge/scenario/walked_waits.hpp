// What the order pass learns about waits: it hears every step of the walked blocks.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/lock_state.hpp"
#include "wedge/core/runtime.hpp"
#include "wedge/order/checker.hpp"
#include "wedge/order/inferred_waits.hpp"
#include "wedge/order/observed_waits.hpp"
#include "wedge/scenario/ast.hpp"

namespace wedge::scenario {

/// Passes the steps of a walked block on to the order checker, and to the inference of what
/// signallers take before they signal (rule 19d).
class walked_waits final : public sink {
public:
    walked_waits(const document& all, checker& order) : sink(reader::order), order_(order) {
        for (const declaration& each : all.all) {
            has_events_ = has_events_ || is_event(each.what);
            if (each.what == declares::fence) fences_.insert(each.name);
            if (has_one_run(each)) alone_.insert(each.name);
        }
    }

    bool has_events() const noexcept { return has_events_; }

    void on(task& self, const event& step) noexcept override {
        order_.on(self, step);
        const bool is_wait = step.kind == event_kind::attempt || step.kind == event_kind::sync;
        if (is_wait && !observed_waits::is_granted(step))
            inferred_waits::passes(body_, acquisition_of(step));
    }

    void begin_body() { body_ = {}; }

    /// Notes the pending step of the task, before it is taken.
    void performs(const task& self) {
        const operation& next = self.pending;
        const bool is_count = next.lock != nullptr && is_counted(next.lock->kind());
        const bool is_condition = next.what == step::wait;
        if (is_condition || (is_count && next.what == step::acquire)) {
            const lock_identity& event = is_condition ? *next.condition : *next.lock;
            waits(self, observed_waits::title_of(event), next.where, !next.timed,
                  event.kind() == lock_kind::semaphore);
        } else if (is_count && next.what == step::release) {
            signals(self, *next.lock, next.where);
        } else if (next.what == step::notify_one || next.what == step::notify_all) {
            signals(self, *next.condition, next.where);
        }
    }
    void joins(const task& self, const std::string& thread, site where) {
        waits(self, "the end of " + thread, where, true, false);
    }
    void ends(const task& self, const std::string& thread, site where) {
        signals(self, "the end of " + thread, where);
    }
    void waits_for_wake(const task& self, const std::string& queue, bool is_endless, site where) {
        waits(self, "condition " + queue, where, is_endless, false);
    }
    void wakes(const task& self, const std::string& queue, site where) {
        if (!observed_waits::is_declared(self)) signals(self, "condition " + queue, where);
    }

    /// Returns the cycles that inferred sections close. The waits of one task alone close none if
    /// the task runs once at a time: it cannot wait for what it has signalled before.
    std::vector<finding> findings(const order_graph& known) const {
        return inferred_.findings(known, [&](const finding& each) {
            const std::string& first = each.cycle.front().task;
            return !alone_.contains(first) ||
                   std::any_of(each.cycle.begin(), each.cycle.end(),
                               [&](const dependency& edge) { return edge.task != first; });
        });
    }

private:
    static bool is_event(declares what) noexcept {
        return what == declares::fence || what == declares::completion ||
               what == declares::condition || what == declares::semaphore ||
               what == declares::wait_queue;
    }
    static bool has_one_run(const declaration& each) noexcept {
        return (each.what == declares::thread && each.count == 1) ||
               each.what == declares::handler || is_deferred(each.what);
    }
    void signals(const task& self, const lock_identity& event, site where) {
        const std::string& name = lock_class::from_id(event.class_id()).name();
        if (fences_.contains(name) && observed_waits::is_declared(self)) return;
        signals(self, observed_waits::title_of(event), where);
    }
    void waits(const task& self, std::string event, site where, bool is_endless, bool is_unit) {
        inferred_.waits(body_, self, {std::move(event)}, where, is_endless, is_unit);
    }
    void signals(const task& self, std::string event, site where) {
        inferred_.signals(body_, self, {std::move(event)}, where);
    }

    checker& order_;
    inferred_waits inferred_;
    inferred_waits::body body_;
    std::set<std::string> fences_;
    std::set<std::string> alone_;  ///< blocks that run once at a time
    bool has_events_ = false;
};

}  // namespace wedge::scenario
