// The steps of a lock under a runtime: the native lock stays untouched.
#pragma once

#include "wedge/base/sanitizer.hpp"
#include "wedge/task/steps.hpp"

namespace wedge::detail {

/// TSan sees controlled locks by the address of their identity; of a recursive mutex only the
/// outermost hold.
inline unsigned tsan_flags(mode how) noexcept {
    return is_shared(how) ? sanitizer::tsan_lock::read_lock : 0;
}

inline void tsan_locked(lock_identity& lock, const acquire_terms& terms) noexcept {
    const unsigned bits = tsan_flags(terms.how) |
                          (has(terms.with, flags::tried) ? sanitizer::tsan_lock::try_lock : 0);
    sanitizer::tsan_lock::locking(&lock, bits);
    sanitizer::tsan_lock::locked(&lock, bits);
}

inline void tsan_unlocked(lock_identity& lock, mode how) noexcept {
    sanitizer::tsan_lock::unlocking(&lock, tsan_flags(how));
    sanitizer::tsan_lock::unlocked(&lock, tsan_flags(how));
}

/// What a task did not unlock by its end; of an abandoned one that is what raw lock calls took.
inline void tsan_forget_holds(const task& self) noexcept {
    if constexpr (sanitizer::thread)
        for (const held_lock& hold : self.held)
            if (hold.lock != nullptr && hold.lock->kind() != lock_kind::map)
                tsan_unlocked(const_cast<lock_identity&>(*hold.lock), hold.how);
}

/// A second hold of a recursive mutex is no event, only a deeper hold.
inline held_lock* recursive_hold(task& self, lock_identity& lock) noexcept {
    return lock.kind() == lock_kind::recursive_mutex ? self.held.find(lock.instance()) : nullptr;
}

/// A blocking, timed or try acquire under control.
///
/// @return false: the try failed, or the wait gave up
/// @throws abandoned
[[gnu::noinline]] inline bool controlled_acquire(task& self, lock_identity& lock,
                                                 acquire_terms terms) {
    const bool tried = has(terms.with, flags::tried);
    const operation next{.what = tried ? step::try_acquire : step::acquire,
                         .how = terms.how,
                         .timed = has(terms.with, flags::timed),
                         .lock = &lock,
                         .where = terms.where};
    if (self.runtime->is_giving_up()) return self.runtime->perform(self, next);
    adopt_if_foreign(self, lock);
    held_lock* const mine = recursive_hold(self, lock);
    if (!tried && mine == nullptr) attempt(self, lock, terms);
    const bool is_taken = self.runtime->perform(self, next);
    if (mine != nullptr) {
        if (is_taken) ++mine->depth;
    } else if (is_taken) {
        acquired(self, lock, terms);
        tsan_locked(lock, terms);
    } else {
        not_acquired(self, lock, terms);
    }
    return is_taken;
}

/// Drops a hold under control. Never throws: it runs in destructors.
[[gnu::noinline]] inline void controlled_release(task& self, lock_identity& lock, mode how,
                                                 site where) noexcept {
    adopt_if_foreign(self, lock);
    held_lock* const mine = self.held.find(lock.instance());
    if (self.runtime->is_giving_up()) {
        if (mine == nullptr) return;
        tsan_unlocked(lock, mine->how);
        self.held.erase(mine);
        return;
    }
    const bool is_last = mine != nullptr && mine->depth == 1;
    self.runtime->perform(self, {.what = step::release, .how = how, .lock = &lock, .where = where});
    if (is_last) tsan_unlocked(lock, mine->how);
    released(self, lock, how, where);
}

inline void controlled_downgrade(task& self, lock_identity& lock, site where) {
    adopt_if_foreign(self, lock);
    if (self.runtime->is_giving_up()) return;
    self.runtime->perform(self, {.what = step::downgrade, .lock = &lock, .where = where});
    const held_lock* const mine = self.held.find(lock.instance());
    if (mine != nullptr && mine->how == mode::exclusive) {
        tsan_unlocked(lock, mode::exclusive);
        tsan_locked(lock, {.how = mode::shared});
    }
    downgraded(self, lock, where);
}

}  // namespace wedge::detail
