// The mutex that protects the variables of wedge's own types.
#pragma once

#include "wedge/lock/checked.hpp"

namespace wedge::detail {

/// A mutex that explorations schedule like any other, and that no rule and no report names.
///
/// A type of wedge's uses it where the real thing would use what never sleeps. Its owner waits for
/// nothing but a condition while it holds this mutex, and runs nothing of the user's.
template <class Level = default_level>
class internal_mutex {
public:
    internal_mutex() : lock_(lock_class("wedge's own", {.is_internal = true})) {}

    void lock(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        const unheard_section unheard(current());
        lock_.lock(where);
    }
    void unlock(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        const unheard_section unheard(current());
        lock_.unlock(where);
    }
    bool try_lock(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        const unheard_section unheard(current());
        return lock_.try_lock(where);
    }
    lock_identity& identity() noexcept { return lock_.identity(); }

private:
    checked<std::mutex, Level> lock_;
};

template <>
class internal_mutex<level_constant<level::off>> : public std::mutex {
public:
    void lock(site = {}) { std::mutex::lock(); }
    void unlock(site = {}) { std::mutex::unlock(); }
    bool try_lock(site = {}) { return std::mutex::try_lock(); }
};

}  // namespace wedge::detail
