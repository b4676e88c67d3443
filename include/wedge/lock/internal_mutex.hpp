// The mutex that protects the variables of types of wedge itself.
#pragma once

#include "wedge/lock/checked.hpp"

namespace wedge::detail {

/// A mutex that explorations schedule like any other. No rule and no report names it.
///
/// A type of wedge uses it where the modelled object uses a lock that never sleeps. While a task
/// holds it, the task waits for nothing but a condition, and runs no code of the user. No handler
/// of a scenario comes on top of that task, because the handler might want this mutex.
template <class Level = default_level>
class internal_mutex {
public:
    internal_mutex() : lock_(lock_class("wedge's own", {.is_internal = true})) {}

    void lock(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        task& self = current();
        const unheard_section unheard(self);
        ++self.unbroken;
        lock_.lock(where);
    }
    void unlock(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        task& self = current();
        const unheard_section unheard(self);
        lock_.unlock(where);
        --self.unbroken;
    }
    bool try_lock(site where = site::current()) WEDGE_NO_THREAD_SAFETY {
        task& self = current();
        const unheard_section unheard(self);
        const bool is_taken = lock_.try_lock(where);
        if (is_taken) ++self.unbroken;
        return is_taken;
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
