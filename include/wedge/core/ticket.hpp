// Wound/wait tickets as a task holds them.
#pragma once

#include "wedge/core/steps.hpp"

namespace wedge::detail {

/// Returns the task's hold of a ticket; null if it has none.
///
/// A ticket (Linux: ww_acquire_ctx) is held like an exclusive pseudo-lock (rule 14), so the class
/// of its identity must have the option `never_waits`. The hold's `payload` contains the class of
/// the locks that the ticket is for and the lock that it was told to back off from. `flags::done`
/// says that the ticket takes no more locks.
inline held_lock* hold_of_ticket(task& self, std::uint64_t ticket) noexcept {
    return self.held.find(static_cast<std::uint32_t>(ticket));
}

/// Returns the class of the locks that the hold is the ticket for; 0 if it is no ticket.
inline std::uint32_t ww_class_of(const held_lock& hold) noexcept {
    const bool is_lock = has(hold.with, flags::nest | flags::ticketed);
    return is_lock ? 0 : static_cast<std::uint32_t>(hold.payload >> 32);
}
/// Returns the instance that the ticket must take next; 0 if it was not told to back off.
inline std::uint32_t contended_by(const held_lock& ticket) noexcept {
    return static_cast<std::uint32_t>(ticket.payload);
}
inline void set_contended(held_lock& ticket, std::uint32_t instance) noexcept {
    ticket.payload = std::uint64_t{ww_class_of(ticket)} << 32 | instance;
}

/// @param ww_class  the class of the locks that the ticket is for
inline void ticket_begun(task& self, lock_identity& ticket, lock_class ww_class, site where) {
    adopt_if_foreign(self, ticket);
    const acquire_terms terms{.payload = ww_class.id(), .where = where};
    const sanitizer::ignore_scope ours;
    emit_ignored(self, event_of(event_kind::ticket_begin, ticket, terms));
    push_hold(self, ticket, {.payload = std::uint64_t{ww_class.id()} << 32, .where = where});
}

/// States that the ticket takes no more locks.
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

/// Called when the acquire of `lock` under the ticket failed because its holder goes first.
inline void told_to_back_off(task& self, lock_identity& lock, const acquire_terms& terms) {
    emit(self, event_of(event_kind::back_off, lock, terms));
    if (held_lock* const mine = hold_of_ticket(self, terms.payload))
        set_contended(*mine, lock.instance());
}

/// Called when the contended lock was taken, by the slow path or otherwise.
inline void contended_is_taken(task& self, std::uint64_t ticket) noexcept {
    if (held_lock* const mine = hold_of_ticket(self, ticket)) set_contended(*mine, 0);
}

/// Called when the ticket holds the lock already. Nothing changes.
inline void held_already(task& self, lock_identity& lock, const acquire_terms& terms) {
    emit(self, event_of(event_kind::already, lock, terms));
}

}  // namespace wedge::detail
