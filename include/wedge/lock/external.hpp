// Locks whose type cannot change: the program reports them by their address.
#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>

#include "wedge/core/level.hpp"
#include "wedge/lock/controlled.hpp"
#include "wedge/lock/spinlock.hpp"

namespace wedge {
namespace detail {

/// While it lives, a lock that this task makes belongs to no execution, as if it had been made
/// before. So an execution that uses it first does the same as the later ones.
class outside_of_execution {
public:
    outside_of_execution() noexcept : self_(current_task) { current_task = nullptr; }
    ~outside_of_execution() { current_task = self_; }
    outside_of_execution(const outside_of_execution&) = delete;
    outside_of_execution& operator=(const outside_of_execution&) = delete;

private:
    task* const self_;
};

/// The identities of all addresses that were ever reported.
class external_locks {
public:
    /// Returns the identity of an address; makes it if it is new.
    ///
    /// @param cls   an address with another class is another lock
    /// @param kind  an address with another kind is another lock
    /// @param waits  the wait type of a new lock; `none` if the caller does not know it
    lock_identity& of(const void* address, lock_class cls, lock_kind kind,
                      wait_type waits = wait_type::none) {
        const sanitizer::ignore_scope ours;
        const std::lock_guard mine(busy_);
        std::unique_ptr<lock_identity>& known = all_[address];
        if (known == nullptr || known->class_id() != cls.id() || known->kind() != kind) {
            const outside_of_execution made_here;
            known = std::make_unique<lock_identity>(kind, cls, waits);
        }
        return *known;
    }
    /// Makes a new lock at an address, in the running execution if there is one.
    void make(const void* address, lock_class cls, lock_kind kind, wait_type waits) {
        forget(address);
        const sanitizer::ignore_scope ours;
        auto made = std::make_unique<lock_identity>(kind, cls, waits);
        const std::lock_guard mine(busy_);
        all_[address] = std::move(made);
    }
    /// Returns the identity of an address; null if it was never acquired.
    lock_identity* find(const void* address) {
        const sanitizer::ignore_scope ours;
        const std::lock_guard mine(busy_);
        const auto known = all_.find(address);
        return known == all_.end() ? nullptr : known->second.get();
    }
    /// Forgets an address, because the lock there ends.
    void forget(const void* address) {
        std::unique_ptr<lock_identity> gone;  // its end is an event, which takes no lock of ours
        const sanitizer::ignore_scope ours;
        const std::lock_guard mine(busy_);
        const auto known = all_.find(address);
        if (known == all_.end()) return;
        gone = std::move(known->second);
        all_.erase(known);
    }

    /// Returns the process's table. It is never destroyed, since locks of static objects may
    /// outlive it.
    static external_locks& process() {
        static external_locks& made = *new external_locks;
        return made;
    }

private:
    plain_spinlock busy_;
    std::unordered_map<const void*, std::unique_ptr<lock_identity>> all_;
};

/// Notes an acquire of a recursive lock. A second hold is no event, and needs its own release.
inline void acquired_recursive(const void* lock, lock_class cls, const acquire_terms& terms) {
    task& self = current();
    lock_identity& known = external_locks::process().of(lock, cls, lock_kind::recursive_mutex);
    if (held_lock* const mine = recursive_hold(self, known)) {
        ++mine->depth;
        return;
    }
    if (!has(terms.with, flags::tried)) attempt(self, known, terms);
    acquired(self, known, terms);
}

}  // namespace detail

/// Reports that the running task takes a lock that is not wedge's. Call it right before the native
/// acquire, so that an inversion is reported before it hangs. How long a wait takes is not known,
/// so wait types are not checked. Not for controlled tasks: the native lock would block the engine.
/// The address is remembered forever.
///
/// @param how  `shared` or `recursive_shared` for readers
template <class Level = default_level>
void acquired(const void* lock, lock_class cls, mode how, site where = site::current()) {
    if constexpr (Level::value >= level::order) {
        task& self = current();
        lock_identity& known = detail::external_locks::process().of(lock, cls, lock_kind::mutex);
        detail::attempt(self, known, {.how = how, .where = where});
        detail::acquired(self, known, {.how = how, .where = where});
    }
}
template <class Level = default_level>
void acquired(const void* lock, lock_class cls, site where = site::current()) {
    acquired<Level>(lock, cls, mode::exclusive, where);
}

/// Marks an external lock that its holder may take again, such as a PTHREAD_MUTEX_RECURSIVE one.
struct is_recursive_t {};
inline constexpr is_recursive_t is_recursive{};

/// Reports that the running task takes a recursive lock. A second hold is no event, and needs its
/// own release.
template <class Level = default_level>
void acquired(const void* lock, lock_class cls, is_recursive_t, site where = site::current()) {
    if constexpr (Level::value >= level::order)
        detail::acquired_recursive(lock, cls, {.where = where});
}

/// Reports that the running task took the lock by a trylock.
template <class Level = default_level>
void try_acquired(const void* lock, lock_class cls, mode how = mode::exclusive,
                  site where = site::current()) {
    if constexpr (Level::value >= level::order)
        detail::acquired(current(),
                         detail::external_locks::process().of(lock, cls, lock_kind::mutex),
                         {.how = how, .with = flags::tried, .where = where});
}
template <class Level = default_level>
void try_acquired(const void* lock, lock_class cls, is_recursive_t, site where = site::current()) {
    if constexpr (Level::value >= level::order)
        detail::acquired_recursive(lock, cls, {.with = flags::tried, .where = where});
}

/// Reports that the running task releases the lock. An address that was never acquired is ignored.
template <class Level = default_level>
void released(const void* lock, site where = site::current()) {
    if constexpr (Level::value >= level::order) {
        lock_identity* const known = detail::external_locks::process().find(lock);
        if (known == nullptr) return;
        task& self = current();
        detail::released(self, *known, detail::mode_of_hold(self, *known), where);
    }
}

}  // namespace wedge
