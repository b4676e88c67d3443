// The steps of a lock under a runtime. The native lock is not touched.
#pragma once

#include "wedge/core/sanitizer.hpp"
#include "wedge/core/steps.hpp"

namespace wedge::detail {

/// Returns TSan's flags of an acquire. TSan knows a controlled lock by the address of its identity,
/// and of a recursive mutex only the outermost hold.
inline unsigned tsan_flags(mode how) noexcept {
    return is_shared(how) ? sanitizer::tsan_lock::read_lock : 0;
}

inline void tsan_locked(const task& self, lock_identity& lock,
                        const acquire_terms& terms) noexcept {
    if (!sanitizer::thread || !self.runtime->has_exclusion()) return;
    const unsigned bits = tsan_flags(terms.how) |
                          (has(terms.with, flags::tried) ? sanitizer::tsan_lock::try_lock : 0);
    sanitizer::tsan_lock::locking(&lock, bits);
    sanitizer::tsan_lock::locked(&lock, bits);
}

inline void tsan_unlocked(const task& self, lock_identity& lock, mode how) noexcept {
    if (!sanitizer::thread || !self.runtime->has_exclusion()) return;
    sanitizer::tsan_lock::unlocking(&lock, tsan_flags(how));
    sanitizer::tsan_lock::unlocked(&lock, tsan_flags(how));
}

/// Tells TSan that the task's remaining holds are gone. An abandoned task has those that it took
/// without a guard.
inline void tsan_forget_holds(const task& self) noexcept {
    if constexpr (sanitizer::thread)
        for (const held_lock& hold : self.held)
            if (hold.lock != nullptr && hold.lock->kind() != lock_kind::map)
                tsan_unlocked(self, const_cast<lock_identity&>(*hold.lock), hold.how);
}

/// Returns the task's hold of a recursive mutex; null for other locks. A second hold is no event.
inline held_lock* recursive_hold(task& self, lock_identity& lock) noexcept {
    return lock.kind() == lock_kind::recursive_mutex ? self.held.find(lock.instance()) : nullptr;
}

// Inlined code publishes acquires and releases, because it writes the site to its final place.
// Passing the site through memory would cost more than the rest of a call. What TSan must see of a
// step comes before or after the scope in which TSan sees nothing.

/// Takes the published acquire. The lock must be alive.
[[gnu::noinline]] WEDGE_UNSEEN inline bool take_acquire_ignored(task& self) {
    operation& next = self.pending;
    if (self.runtime->is_giving_up()) return self.runtime->perform_pending(self);
    const auto terms = [&next] {
        return acquire_terms{next.how, next.with, next.subclass, next.payload, next.where};
    };
    lock_identity& lock = *next.lock;
    adopt_if_foreign_ignored(self, lock);
    held_lock* const mine = recursive_hold(self, lock);
    if (next.what == step::acquire && mine == nullptr && is_heard(self, event_kind::attempt))
        attempt_ignored(self, lock, terms());
    const bool is_taken = self.runtime->perform_pending(self);
    if (mine != nullptr) {
        if (is_taken) ++mine->depth;
    } else if (is_taken) {
        acquired_ignored(self, lock, terms());
    } else {
        not_acquired_ignored(self, lock, terms());
    }
    return is_taken;
}

/// Takes a lock under control: by a blocking acquire, a timed one or a try.
///
/// @return false: the try failed, or the wait gave up
/// @throws abandoned  the execution was given up
[[gnu::always_inline]] inline bool controlled_acquire(task& self, lock_identity& lock,
                                                      const acquire_terms& terms) {
    sanitizer::expect_alive(&lock);
    {
        const sanitizer::ignore_scope ours;
        publish(self, {.what = has(terms.with, flags::tried) ? step::try_acquire : step::acquire,
                       .how = terms.how,
                       .timed = has(terms.with, flags::timed),
                       .subclass = terms.subclass,
                       .with = terms.with,
                       .lock = &lock,
                       .where = terms.where,
                       .payload = terms.payload});
        if (!take_acquire_ignored(self)) return false;
    }
    if (sanitizer::thread && !self.runtime->is_giving_up()) {
        const held_lock* const mine = recursive_hold(self, lock);
        if (mine == nullptr || mine->depth == 1) tsan_locked(self, lock, terms);
    }
    return true;
}

/// Tells TSan that the task no longer holds the lock. Between the release and this call no other
/// task takes a step, and no handler comes.
inline void tsan_let_go_ignored(task& self, lock_identity& lock) noexcept {
    if constexpr (sanitizer::thread) {
        const held_lock* const mine = self.held.find(lock.instance());
        if (mine == nullptr || (mine->depth != 1 && !self.runtime->is_giving_up())) return;
        const sanitizer::watch_scope theirs;
        tsan_unlocked(self, lock, mine->how);
    }
}

/// Takes the published release. The lock must be alive.
[[gnu::noinline]] WEDGE_UNSEEN inline void take_release_ignored(task& self) noexcept {
    lock_identity& lock = *self.pending.lock;
    // A lock that the engine adopts only now was taken natively, where TSan has seen nothing.
    const bool is_seen = sanitizer::thread && self.held.find(lock.instance()) != nullptr;
    adopt_if_foreign_ignored(self, lock);
    if (self.runtime->is_giving_up()) {
        if (is_seen) tsan_let_go_ignored(self, lock);
        if (held_lock* const mine = self.held.find(lock.instance())) self.held.erase(mine);
        return;
    }
    self.runtime->perform_pending(self);
    if (is_seen) tsan_let_go_ignored(self, lock);
    released_ignored(self, lock, self.pending.how, self.pending.where);
}

/// Releases a lock under control. Never throws, since destructors call it.
[[gnu::always_inline]] inline void controlled_release(task& self, lock_identity& lock, mode how,
                                                      const site& where) noexcept {
    sanitizer::expect_alive(&lock);
    const sanitizer::ignore_scope ours;
    publish(self, {.what = step::release, .how = how, .lock = &lock, .where = where});
    take_release_ignored(self);
}

inline void controlled_downgrade(task& self, lock_identity& lock, site where) {
    adopt_if_foreign(self, lock);
    if (self.runtime->is_giving_up()) return;
    self.runtime->perform(self, {.what = step::downgrade, .lock = &lock, .where = where});
    const held_lock* const mine = self.held.find(lock.instance());
    if (mine != nullptr && mine->how == mode::exclusive) {
        tsan_unlocked(self, lock, mode::exclusive);
        tsan_locked(self, lock, {.how = mode::shared});
    }
    downgraded(self, lock, where);
}

/// Returns the mode in which a wait takes its lock again: that of the hold, but a read waits behind
/// queued writers like any new read. So does std::condition_variable_any with a std::shared_lock.
inline mode mode_after_wait(task& self, const lock_identity& lock) noexcept {
    const mode how = mode_of_hold(self, lock);
    return is_shared(how) && lock.kind() != lock_kind::rwlock ? mode::shared : how;
}

/// Waits for a condition under control.
///
/// @return false: the wait gave up
/// @throws abandoned  the execution was given up
inline bool controlled_wait(task& self, lock_identity& condition, lock_identity& lock,
                            bool is_timed, site where) {
    const mode how = mode_after_wait(self, lock);
    const held_lock* const outer = recursive_hold(self, lock);
    const bool is_kept = outer != nullptr && outer->depth > 1;  // only the innermost hold ends
    const operation next{.what = step::wait,
                         .how = how,
                         .timed = is_timed,
                         .lock = &lock,
                         .condition = &condition,
                         .where = where};
    if (self.runtime->is_giving_up()) return self.runtime->perform(self, next);
    adopt_if_foreign(self, condition);
    bool is_notified = false;
    {
        const lock_class of_lock = lock_class::from_id(lock.class_id());
        const unheard_section unheard(self, of_lock.options().is_internal);
        if (!is_kept) tsan_unlocked(self, lock, how);
        released(self, lock, how, where);
        // The lock that is waited with is no obstacle.
        might_sleep(self, lock_class::from_id(condition.class_id()), where);
        report_wait(self, event_kind::wait, condition, where,
                    is_timed ? flags::timed : flags::none);
        // The order of the second acquire is checked now, since it may never come.
        const acquire_terms again{.how = how, .where = where};
        if (!is_kept) attempt(self, lock, again);
        is_notified = self.runtime->perform(self, next);
        if (self.runtime->is_giving_up()) return false;
        if (is_kept) {
            ++self.held.find(lock.instance())->depth;
        } else {
            acquired(self, lock, again);
            tsan_locked(self, lock, again);
        }
    }
    report_wait(self, event_kind::wake, condition, where);
    return is_notified;
}

}  // namespace wedge::detail
