// Locks whose type cannot change: reported by their address.
#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>

#include "wedge/base/level.hpp"
#include "wedge/lock/controlled.hpp"
#include "wedge/lock/spinlock.hpp"

namespace wedge {
namespace detail {

/// The identity of each address that was ever reported.
class external_locks {
public:
    /// @param cls   a lock of another class at the same address is another lock
    /// @param kind  the same holds for another kind
    lock_identity& of(const void* address, lock_class cls, lock_kind kind) {
        const sanitizer::ignore_scope ours;
        const std::lock_guard mine(busy_);
        std::unique_ptr<lock_identity>& known = all_[address];
        if (known == nullptr || known->class_id() != cls.id() || known->kind() != kind)
            known = std::make_unique<lock_identity>(kind, cls, wait_type::none);
        return *known;
    }
    /// Null: never acquired.
    lock_identity* find(const void* address) {
        const sanitizer::ignore_scope ours;
        const std::lock_guard mine(busy_);
        const auto known = all_.find(address);
        return known == all_.end() ? nullptr : known->second.get();
    }

    /// Never destroyed: locks of static objects outlive it otherwise.
    static external_locks& process() {
        static external_locks& made = *new external_locks;
        return made;
    }

private:
    plain_spinlock busy_;
    std::unordered_map<const void*, std::unique_ptr<lock_identity>> all_;
};

/// A second hold is no event, and needs a release of its own.
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

/// Reports a lock that wedge did not make, taken by the running task. Called right before the
/// native acquire, it reports an inversion before it hangs. How long a wait for it takes is not
/// known, so wait types are not checked. Not for tasks under control: the native lock would block
/// the engine. An address is remembered for good.
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

/// Says of an external lock that its holder may take it again, as a PTHREAD_MUTEX_RECURSIVE one.
struct is_recursive_t {};
inline constexpr is_recursive_t is_recursive{};

/// Reports a recursive lock. A second hold is no event, and needs a release of its own.
template <class Level = default_level>
void acquired(const void* lock, lock_class cls, is_recursive_t, site where = site::current()) {
    if constexpr (Level::value >= level::order)
        detail::acquired_recursive(lock, cls, {.where = where});
}

/// The lock was had by a trylock.
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

/// The running task released it. An address that was never acquired is no lock, and ignored.
template <class Level = default_level>
void released(const void* lock, site where = site::current()) {
    if constexpr (Level::value >= level::order) {
        lock_identity* const known = detail::external_locks::process().find(lock);
        if (known == nullptr) return;
        task& self = current();
        const held_lock* const mine = self.held.find(known->instance());
        detail::released(self, *known, mine != nullptr ? mine->how : mode::exclusive, where);
    }
}

}  // namespace wedge
