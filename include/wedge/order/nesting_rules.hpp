// The rules on nested locks of one class.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "wedge/core/ticket.hpp"
#include "wedge/order/knowledge.hpp"
#include "wedge/order/observe.hpp"

namespace wedge::detail {

/// Returns whether the acquire takes part in wound/wait.
inline bool is_ww(const event& step) noexcept {
    return has(step.with, flags::ticketed) ||
           (step.lock != nullptr && step.lock->kind() == lock_kind::ww_mutex);
}

/// Returns whether both locks are taken under one ticket that is held, so that either wait can end
/// by backing off. A lock taken without a ticket is never released on demand.
inline bool is_same_ticket(task& self, const held_lock& held, const event& step) noexcept {
    return has(held.with, flags::ticketed) && has(step.with, flags::ticketed) &&
           held.payload == step.payload && hold_of_ticket(self, step.payload) != nullptr;
}

/// Checks rule 11, for trylocks too.
inline void check_nest_lock(order_knowledge& known, task& self, const event& step,
                            std::vector<finding>& fresh) {
    if (!has(step.with, flags::nest) ||
        self.held.find(static_cast<std::uint32_t>(step.payload)) != nullptr)
        return;
    const lock_use use = use_of(step);
    known.keep(hygiene(finding_kind::nest_not_held, self,
                       use.class_name + " nested under a lock that is not held", {use}),
               fresh);
}

/// Returns whether the lock's type forbids this acquire to its holder, even where the lock would
/// grant it.
inline bool breaks_contract(const held_lock& held, const event& step) {
    if (held.instance != step.instance || step.lock == nullptr || !step.lock->forbids_second_hold())
        return false;
    const bool are_reads = is_shared(held.how) && is_shared(step.how);
    return !are_reads || !lock_class::from_id(step.class_id).options().reads_nest;
}

/// Keeps a finding about an acquire that breaks the contract of its lock.
inline void keep_breach(order_knowledge& known, task& self, const held_lock& held,
                        const event& step, std::vector<finding>& fresh) {
    known.keep(forbidden_nesting(self, held, step, known.is_exact()), fresh);
}

/// Checks rule 10 for a successful trylock: it did not wait, but its type may forbid it.
inline void check_tried_nesting(order_knowledge& known, task& self, const event& step,
                                std::vector<finding>& fresh) {
    for (const held_lock& held : self.held)
        if (breaks_contract(held, step)) keep_breach(known, self, held, step, fresh);
}

/// Checks rules 10, 12, 12a and 13 for a hold of the class that a blocking acquire wants. In a live
/// program two instances nest without a finding as long as no task nests them the other way round.
///
/// A nest lock must be held exclusively: two readers of it could nest against each other.
inline void check_nesting(order_knowledge& known, task& self, std::size_t index, const event& step,
                          std::vector<finding>& fresh) {
    const held_lock& held = self.held[index];
    if (breaks_contract(held, step)) return keep_breach(known, self, held, step, fresh);
    if (!may_wait(step.how, held.how)) return;
    const auto recursive = [&] { known.keep(nesting(self, held, step, known.is_exact()), fresh); };
    if (held.instance == step.instance) {
        // Under tickets the acquire answers at once: the lock is held already, or the ticket must
        // back off.
        if (!has(held.with, flags::ticketed) || !has(step.with, flags::ticketed)) recursive();
        return;
    }
    const class_options options = lock_class::from_id(step.class_id).options();
    if (options.unchecked) return;
    if (is_ww(step)) {
        if (!is_same_ticket(self, held, step))
            known.keep(wrong_acquire(finding_kind::ww_rule, self,
                                     use_of(step).class_name +
                                         (has(step.with, flags::ticketed)
                                              ? " taken while another is held without its ticket"
                                              : " taken without a ticket while another is held"),
                                     {use_of(held), use_of(step)}),
                       fresh);
        return;
    }
    if (has(step.with, flags::nest)) {
        const held_lock* const nest = self.held.find(static_cast<std::uint32_t>(step.payload));
        if (nest != nullptr && nest->how == mode::exclusive) return;
    }
    if (options.order != nullptr) {
        if (held.lock != nullptr && step.lock != nullptr && !options.order(*held.lock, *step.lock))
            known.keep(hygiene(finding_kind::instance_order, self,
                               use_of(step).class_name +
                                   " taken against the order that its class declares",
                               {use_of(held), use_of(step)}),
                       fresh);
        return;
    }
    const observation seen = observe(self, index, step);
    if (seen.held.subclass == seen.wanted.subclass) {
        // All instances of a section are one section.
        if (!known.nests_by_instance() || options.one_at_a_time || options.never_waits)
            return recursive();
        return known.add_instances(seen, self.title(), fresh);
    }
    known.add_nesting(seen, self.title(), fresh);
}

}  // namespace wedge::detail
