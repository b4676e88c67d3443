// Wound/wait tickets as a task holds them: the order in which old ones go before young ones.
#pragma once

#include "wedge/task/steps.hpp"

namespace wedge::detail {

/// A ticket (Linux: ww_acquire_ctx) is held like an exclusive pseudo-lock. Its hold remembers in
/// `payload` the lock that it was told to back off from, and in `flags::done` that it takes no more.
inline held_lock* hold_of_ticket(task& self, std::uint64_t ticket) noexcept {
    return self.held.find(static_cast<std::uint32_t>(ticket));
}

/// @param ww_class  the class of the locks that the ticket is for
inline void ticket_begun(task& self, lock_identity& ticket, lock_class ww_class, site where) {
    adopt_if_foreign(self, ticket);
    const acquire_terms terms{.payload = ww_class.id(), .where = where};
    emit(self, event_of(event_kind::ticket_begin, ticket, terms));
    push_hold(self, ticket, {.where = where});
}

/// From now on the ticket takes no more locks.
inline void ticket_done(task& self, lock_identity& ticket, lock_class ww_class, site where) {
    const acquire_terms terms{.payload = ww_class.id(), .where = where};
    emit(self, event_of(event_kind::ticket_done, ticket, terms));
    if (held_lock* const mine = self.held.find(ticket.instance()))
        mine->with = mine->with | flags::done;
}

inline void ticket_ended(task& self, lock_identity& ticket, lock_class ww_class, site where) {
    const acquire_terms terms{.payload = ww_class.id(), .where = where};
    emit(self, event_of(event_kind::ticket_end, ticket, terms));
    if (held_lock* const mine = self.held.find(ticket.instance())) self.held.erase(mine);
}

/// The acquire of `lock` under the ticket failed: whoever holds it goes first.
inline void told_to_back_off(task& self, lock_identity& lock, const acquire_terms& terms) {
    emit(self, event_of(event_kind::back_off, lock, terms));
    if (held_lock* const mine = hold_of_ticket(self, terms.payload))
        mine->payload = lock.instance();
}

/// The slow path got the lock that the back-off was about.
inline void contended_is_taken(task& self, std::uint64_t ticket) noexcept {
    if (held_lock* const mine = hold_of_ticket(self, ticket)) mine->payload = 0;
}

/// The ticket holds the lock already; nothing changes.
inline void held_already(task& self, lock_identity& lock, const acquire_terms& terms) {
    emit(self, event_of(event_kind::already, lock, terms));
}

}  // namespace wedge::detail
