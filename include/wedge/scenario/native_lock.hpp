// The locks of a scenario on real threads.
#pragma once

#include <atomic>
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
            holds_.fetch_add(1);
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
        holds_.fetch_add(1);
        wedge::detail::acquired(self, own_, terms);
        return true;
    }
    void release(site where) override {
        task& self = current();
        const mode how = wedge::detail::mode_of_hold(self, own_);
        const bool is_held = self.held.find(own_.instance()) != nullptr;
        wedge::detail::released(self, own_, how, where);
        if (!is_held) return;  // the checker has reported it
        holds_.fetch_sub(1);
        unlock(how);
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
        if (has(terms.with, flags::tried)) return try_lock(terms.how);
        if (has(terms.with, flags::timed)) {
            constexpr std::chrono::microseconds pause{20};
            for (unsigned tries = 0; !try_once(terms.how); ++tries) {
                if (tries == 50) return false;
                if (self.sleeps != nullptr) self.sleeps->begin_sleep(self);
                std::this_thread::sleep_for(pause);
                if (self.sleeps != nullptr) self.sleeps->end_sleep();
            }
            return true;
        }
        wait(self, terms);
        return true;
    }
    /// Takes the lock. If a handler runs on top of the waiting thread when the lock comes, the
    /// thread gives the lock back, and waits again when the handler has ended.
    void wait(task& self, const wedge::detail::acquire_terms& terms) {
        if (self.sleeps == nullptr) return lock(terms.how);
        while (!try_once(terms.how)) {
            self.sleeps->begin_sleep(self);
            lock(terms.how);
            if (self.sleeps->try_end_sleep()) return;
            unlock(terms.how);
            self.sleeps->end_sleep();
            wedge::detail::emit(self, wedge::detail::event_of(event_kind::join, own_, terms));
        }
    }
    void lock(mode how) {
        if constexpr (requires { native_.lock_shared_past_waiters(); }) {
            if (how == mode::recursive_shared) return native_.lock_shared_past_waiters();
        }
        if constexpr (shared_lockable<Native>) {
            if (is_shared(how)) return native_.lock_shared();
        }
        native_.lock();
    }
    void unlock(mode how) {
        if constexpr (shared_lockable<Native>) {
            if (is_shared(how)) return native_.unlock_shared();
        }
        native_.unlock();
    }
    /// A thread that gives the lock back in `wait` does not count as a holder.
    bool try_lock(mode how) {
        bool is_taken = try_once(how);
        while (!is_taken && holds_.load() == 0) {
            std::this_thread::yield();
            is_taken = try_once(how);
        }
        return is_taken;
    }
    bool try_once(mode how) {
        if constexpr (shared_lockable<Native>) {
            if (is_shared(how)) return native_.try_lock_shared();
        }
        return native_.try_lock();
    }

    Native native_;
    std::atomic<unsigned> holds_{0};
    lock_identity own_;
};

}  // namespace wedge::scenario
