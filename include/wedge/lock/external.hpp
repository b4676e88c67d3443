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
    /// @param cls  a lock of another class at the same address is another lock
    lock_identity& of(const void* address, lock_class cls) {
        const sanitizer::ignore_scope ours;
        const std::lock_guard mine(busy_);
        std::unique_ptr<lock_identity>& known = all_[address];
        if (known == nullptr || known->class_id() != cls.id())
            known = std::make_unique<lock_identity>(lock_kind::mutex, cls, wait_type::none);
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
        lock_identity& known = detail::external_locks::process().of(lock, cls);
        detail::attempt(self, known, {.how = how, .where = where});
        detail::acquired(self, known, {.how = how, .where = where});
    }
}
template <class Level = default_level>
void acquired(const void* lock, lock_class cls, site where = site::current()) {
    acquired<Level>(lock, cls, mode::exclusive, where);
}

/// The lock was had by a trylock.
template <class Level = default_level>
void try_acquired(const void* lock, lock_class cls, mode how = mode::exclusive,
                  site where = site::current()) {
    if constexpr (Level::value >= level::order)
        detail::acquired(current(), detail::external_locks::process().of(lock, cls),
                         {.how = how, .with = flags::tried, .where = where});
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
