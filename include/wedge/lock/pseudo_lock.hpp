// A pseudo-lock: it takes part in the lock order, and never blocks (lockdep calls it a map).
#pragma once

#include "wedge/core/level.hpp"
#include "wedge/core/steps.hpp"

namespace wedge {

/// A section that takes part in the lock order without being a lock: reclaim, a notifier, a work
/// item. It never guards a cycle. Under control it is no visible step.
template <class Level = default_level>
class basic_pseudo_lock {
public:
    /// @param is_promise  other tasks wait for the tasks in the section, as for the signaller of a
    ///     fence
    explicit basic_pseudo_lock(const char* name, bool is_promise = false)
        : identity_(lock_kind::map,
                    lock_class(name, {.never_waits = true, .is_promise = is_promise})) {}
    /// @param options  of the class, in addition to those of each pseudo-lock
    /// @param waits    how long a task may wait in the section, or to enter it; none: not known
    basic_pseudo_lock(const char* name, class_options options, wait_type waits)
        : identity_(lock_kind::map, lock_class(name, as_pseudo(options)), waits) {}

    /// Enters the section. The order is checked as for a blocking acquire.
    void acquire(mode how = mode::exclusive, site where = site::current()) {
        task& self = current();
        if (self.runtime != nullptr && self.runtime->is_giving_up()) return;
        detail::attempt(self, identity_, {.how = how, .where = where});
        detail::acquired(self, identity_, {.how = how, .where = where});
    }
    void release(mode how = mode::exclusive, site where = site::current()) {
        task& self = current();
        if (self.runtime != nullptr && self.runtime->is_giving_up() &&
            self.held.find(identity_.instance()) == nullptr)
            return;
        detail::released(self, identity_, how, where);
    }
    /// Acquires and releases at once: states that the task may enter the section here.
    void touch(mode how = mode::exclusive, site where = site::current()) {
        acquire(how, where);
        release(how, where);
    }

    /// Returns whether the running task is in the section.
    bool is_held() const noexcept { return current().held.find(identity_.instance()) != nullptr; }

    lock_identity& identity() noexcept { return identity_; }

private:
    static class_options as_pseudo(class_options options) noexcept {
        options.never_waits = true;
        return options;
    }

    lock_identity identity_;
};

/// Level 0: nothing.
template <>
class basic_pseudo_lock<level_constant<level::off>> {
public:
    explicit basic_pseudo_lock(const char*, bool = false) {}
    basic_pseudo_lock(const char*, class_options, wait_type) {}
    void acquire(mode = mode::exclusive, site = {}) {}
    void release(mode = mode::exclusive, site = {}) {}
    void touch(mode = mode::exclusive, site = {}) {}
    bool is_held() const noexcept { return false; }
};

using pseudo_lock = basic_pseudo_lock<>;

}  // namespace wedge
