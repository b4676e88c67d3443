// The locks of a scenario on real threads.
#pragma once

#include <chrono>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include "wedge/lock/recursive_mutex.hpp"
#include "wedge/lock/shared_mutex.hpp"
#include "wedge/scenario/modelled_lock.hpp"

namespace wedge::scenario {

/// A lock that real threads take. Its steps are those of `checked`; a timed wait tries again and
/// again for a millisecond.
///
/// @tparam Native  std::recursive_mutex, std::shared_timed_mutex or plain_shared_mutex
template <class Native>
class native_lock final : public modelled_lock {
public:
    native_lock(lock_sort sort, lock_class cls)
        : modelled_lock(sort), own_(kind_of(sort), cls, waits_of(sort)) {}

    lock_identity& identity() noexcept override { return own_; }

    bool acquire(const wedge::detail::acquire_terms& terms) override {
        task& self = current();
        if (held_lock* const mine = again(self)) {
            native_.lock();
            ++mine->depth;
            return true;
        }
        if (has(terms.with, flags::tried))
            wedge::detail::note_foreign_use(self, own_, terms.where);
        else
            wedge::detail::attempt(self, own_, terms);
        if (!take(self, terms)) {
            wedge::detail::not_acquired(self, own_, terms);
            return false;
        }
        wedge::detail::acquired(self, own_, terms);
        return true;
    }
    void release(site where) override {
        task& self = current();
        const mode how = wedge::detail::mode_of_hold(self, own_);
        const bool is_held = self.held.find(own_.instance()) != nullptr;
        wedge::detail::released(self, own_, how, where);
        if (!is_held) return;  // the checker has reported it
        if constexpr (shared_lockable<Native>) {
            if (is_shared(how)) return native_.unlock_shared();
        }
        native_.unlock();
    }
    void downgrade(site where) override {
        if constexpr (downgradable<Native>) {
            wedge::detail::downgraded(current(), own_, where);
            native_.downgrade();
        }
    }

private:
    /// Returns the hold that another one deepens, which is no event; null: it is the first one.
    held_lock* again(task& self) {
        if (own_.kind() != lock_kind::recursive_mutex) return nullptr;
        return self.held.find(own_.instance());
    }
    bool take(task& self, const wedge::detail::acquire_terms& terms) {
        if (wedge::detail::must_fail(self, terms)) return false;
        if (has(terms.with, flags::tried)) return try_once(terms.how);
        if (has(terms.with, flags::timed)) {
            constexpr std::chrono::microseconds pause{20};
            for (unsigned tries = 0; !try_once(terms.how); ++tries) {
                if (tries == 50) return false;
                std::this_thread::sleep_for(pause);
            }
            return true;
        }
        if constexpr (requires { native_.lock_shared_past_waiters(); }) {
            if (terms.how == mode::recursive_shared)
                return native_.lock_shared_past_waiters(), true;
        }
        if constexpr (shared_lockable<Native>) {
            if (is_shared(terms.how)) return native_.lock_shared(), true;
        }
        return native_.lock(), true;
    }
    bool try_once(mode how) {
        if constexpr (shared_lockable<Native>) {
            if (is_shared(how)) return native_.try_lock_shared();
        }
        return native_.try_lock();
    }

    Native native_;
    lock_identity own_;
};

}  // namespace wedge::scenario
