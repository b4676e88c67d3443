// Assertions about locks: that a lock is held, stays held, or may be taken.
#pragma once

#include <concepts>

#include "wedge/core/level.hpp"
#include "wedge/lock/controlled.hpp"

namespace wedge {

/// A lock that reports its steps. No lock does at level 0.
template <class L>
concept identified = requires(L& lock) {
    { lock.identity() } -> std::convertible_to<const lock_identity&>;
};

namespace detail {

/// Returns whether the execution is given up. Locks do nothing then, so assertions have no meaning.
inline bool is_giving_up(const task& self) noexcept {
    return self.runtime != nullptr && self.runtime->is_giving_up();
}

template <class L>
void state(event_kind kind, L& lock, mode how, site where) {
    if constexpr (identified<L>) {
        task& self = current();
        if (is_giving_up(self)) return;
        adopt_if_foreign(self, lock.identity());
        emit(self, event_of(kind, lock.identity(), {.how = how, .where = where}));
    }
}

template <class L>
void mark_pinned([[maybe_unused]] L& lock, [[maybe_unused]] bool is_pinned) {
    if constexpr (identified<L>) {
        held_lock* const mine = current().held.find(lock.identity().instance());
        if (mine == nullptr) return;
        const auto others =
            static_cast<unsigned>(mine->with) & ~static_cast<unsigned>(flags::pinned);
        mine->with = static_cast<flags>(others) | (is_pinned ? flags::pinned : flags::none);
    }
}

}  // namespace detail

/// Reports a finding `not-held` if the running task does not hold the lock (rule 23). A hold by
/// trylock counts.
template <class L>
void assert_held(L& lock, site where = site::current()) {
    detail::state(event_kind::assert_held, lock, mode::shared, where);
}
template <class L>
void assert_held_exclusively(L& lock, site where = site::current()) {
    detail::state(event_kind::assert_held, lock, mode::exclusive, where);
}

/// Forbids the running task to release the lock until `unpin`, even to take it again: what was read
/// under the lock must stay true (rule 23). Pins do not nest.
template <class L>
void pin(L& lock, site where = site::current()) {
    detail::state(event_kind::pin, lock, mode::exclusive, where);
    detail::mark_pinned(lock, true);
}
template <class L>
void unpin(L& lock, site where = site::current()) {
    detail::state(event_kind::unpin, lock, mode::exclusive, where);
    detail::mark_pinned(lock, false);
}

/// States that the lock's memory becomes a new lock. Reports a finding if the running task holds
/// it.
template <class L>
void initialise(L& lock, site where = site::current()) {
    detail::state(event_kind::init, lock, mode::exclusive, where);
}

/// States that the lock may be taken here. The order is checked as for a blocking acquire. Never
/// waits, and is no visible step.
///
/// @param how  the mode in which it would be taken
template <class L>
void might_lock([[maybe_unused]] L& lock, [[maybe_unused]] mode how = mode::exclusive,
                [[maybe_unused]] site where = site::current()) {
    if constexpr (identified<L>) {
        task& self = current();
        if (detail::is_giving_up(self) || detail::recursive_hold(self, lock.identity()) != nullptr)
            return;
        const detail::acquire_terms terms{.how = how, .where = where};
        detail::attempt(self, lock.identity(), terms);
        detail::not_acquired(self, lock.identity(), terms);
    }
}
template <class L>
    requires requires(L& lock) {
        lock.lock_shared();
    }
void might_lock_shared(L& lock, site where = site::current()) {
    might_lock(lock, L::shared_how, where);
}

}  // namespace wedge
