// The rule on wait types: a lock is not taken under a lock or in a context that allows less.
#pragma once

#include <string>
#include <vector>

#include "wedge/order/knowledge.hpp"

namespace wedge::detail {

constexpr const char* name_of(wait_type waits) noexcept {
    constexpr const char* names[] = {"nothing", "raw", "spin", "sleep"};
    return names[static_cast<std::size_t>(waits)];
}

/// Returns the wait type that the context allows, and a task that keeps out interrupts or other
/// tasks; none: any.
inline wait_type allowed_in(const task& self) noexcept {
    const context_state& in = self.contexts;
    const bool is_masked = in.irqs_are_off || in.bh_depth != 0 || in.preempt_depth != 0;
    if (self.context == context::task) return is_masked ? wait_type::spin : wait_type::none;
    const bool is_raw =
        self.context == context::nmi || (self.context == context::hardirq && !in.is_threaded());
    return is_raw ? wait_type::raw : wait_type::spin;
}

/// Returns what a finding calls the place where the task must not wait like that.
inline std::string place_of(const task& self) {
    if (self.context != context::task) return "in " + class_of(self.context).name();
    if (self.contexts.irqs_are_off) return "with interrupts off";
    return self.contexts.bh_depth != 0 ? "with softirqs off" : "with preemption off";
}

/// Checks rule 22 for a blocking acquire, or for another wait. Of several holds that forbid it, the
/// first of the strictest is named.
inline void check_wait_type(order_knowledge& known, const task& self, const event& step,
                            std::vector<finding>& fresh) {
    const auto forbids = [&](wait_type allowed) {
        return allowed != wait_type::none && step.waits > allowed;
    };
    if (step.waits == wait_type::none) return;
    const held_lock* strictest = nullptr;
    for (const held_lock& hold : self.held)
        if (hold.context == static_cast<std::uint8_t>(self.context) && forbids(hold.allows) &&
            (strictest == nullptr || hold.allows < strictest->allows))
            strictest = &hold;
    // A lock that is taken with interrupts off explains the mistake alone.
    const bool is_explained = strictest != nullptr && self.context == context::task;
    const wait_type allowed = allowed_in(self);
    const bool is_forbidden_here = forbids(allowed) && !is_explained;
    if (strictest == nullptr && !is_forbidden_here) return;
    const lock_use wanted = use_of(step);
    const bool is_lock = step.kind != event_kind::might_sleep;
    const std::string waits = is_lock ? wanted.class_name + " (" + name_of(step.waits) + ") taken "
                                      : "a wait for " + wanted.class_name + " (sleep) ";
    if (strictest != nullptr) {
        const lock_use held = use_of(*strictest);
        known.keep(hygiene(finding_kind::wait_type, self,
                           waits + "under " + held.class_name + ", which allows no more than " +
                               name_of(strictest->allows),
                           {held, wanted}),
                   fresh);
    }
    if (is_forbidden_here)
        known.keep(
            hygiene(finding_kind::wait_type, self,
                    waits + place_of(self) + ", which allows no more than " + name_of(allowed),
                    {wanted}),
            fresh);
}

}  // namespace wedge::detail
