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

/// Returns the wait type that the context allows; none: any.
inline wait_type allowed_in(const task& self) noexcept {
    if (self.context == context::task) return wait_type::none;
    const bool is_raw = self.context == context::hardirq && !self.contexts.is_threaded();
    return is_raw ? wait_type::raw : wait_type::spin;
}

/// Checks rule 22 for a blocking acquire. Of several holds that forbid it, the first of the
/// strictest is named.
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
    const lock_use wanted = use_of(step);
    const std::string waits = wanted.class_name + " (" + name_of(step.waits) + ") taken ";
    if (strictest != nullptr) {
        const lock_use held = use_of(*strictest);
        known.keep(hygiene(finding_kind::wait_type, self,
                           waits + "under " + held.class_name + ", which allows no more than " +
                               name_of(strictest->allows),
                           {held, wanted}),
                   fresh);
    }
    if (const wait_type allowed = allowed_in(self); forbids(allowed))
        known.keep(hygiene(finding_kind::wait_type, self,
                           waits + "in " + class_of(self.context).name() +
                               ", which allows no more than " + name_of(allowed),
                           {wanted}),
                   fresh);
}

}  // namespace wedge::detail
