// Claims of a program about its locks that the order checker believes until they prove false.
#pragma once

#include <string>

#include "wedge/core/check.hpp"
#include "wedge/lock/checked.hpp"

namespace wedge {

namespace detail {

/// Takes a lock that should be free. If it is not, waits for it as usual, so that the order of the
/// wait is checked. Returns whether it was free.
template <class L>
bool lock_as_claimed(L& lock, site where) WEDGE_NO_THREAD_SAFETY {
    if (lock.try_lock(where)) return true;
    lock.lock(where);
    return false;
}

}  // namespace detail

/// Holds the lock of an object that no other task can reach yet, or can reach no more. Taking it
/// cannot wait, so it has no place in the lock order; what is taken under it has.
///
///     auto made = std::make_unique<node>();
///     const wedge::unpublished held(made->lock);   // under list.lock, although node comes first
///
/// If another task holds the lock, the claim is false: the guard waits, and the order counts.
template <lockable L>
class unpublished {
public:
    explicit unpublished(L& lock, site where = site::current())
        : lock_(lock), was_true_(detail::lock_as_claimed(lock, where)) {}
    unpublished(const unpublished&) = delete;
    unpublished& operator=(const unpublished&) = delete;
    ~unpublished() WEDGE_NO_THREAD_SAFETY { lock_.unlock(); }

    /// Returns whether the lock was free, as claimed.
    bool was_true() const noexcept { return was_true_; }

private:
    L& lock_;
    const bool was_true_;
};

/// The claim that some sections never run at once: start-up and work, two phases, two modes.
///
///     wedge::never_together phase{"start or work"};
///     void start() { const wedge::never_together::section here(phase); … }
///     void work()  { const wedge::never_together::section here(phase); … }
///
/// A cycle of orders between such sections is guarded by the claim, and refuted. Under control two
/// sections at once are an exception, with the schedule that leads there. In a live program the
/// second section waits for the first one, so that the claim becomes true, and counts in the order.
class never_together {
public:
    explicit never_together(const char* name) : name_(name), inside_(name) {}
    never_together(const never_together&) = delete;
    never_together& operator=(const never_together&) = delete;

    class section {
    public:
        /// @throws error  under control: another section runs
        explicit section(never_together& of, site where = site::current()) WEDGE_NO_THREAD_SAFETY
            : of_(of) {
            if (of.inside_.try_lock(where)) return;
            const task& self = current();
            if (self.runtime != nullptr && !self.runtime->is_giving_up())
                detail::raise<error>(to_string(where) + ": two sections of '" + of.name_ +
                                     "' run at once, which was said to be impossible");
            of.inside_.lock(where);
        }
        section(const section&) = delete;
        section& operator=(const section&) = delete;
        ~section() WEDGE_NO_THREAD_SAFETY { of_.inside_.unlock(); }

    private:
        never_together& of_;
    };

private:
    const std::string name_;
    checked<std::mutex> inside_;
};

/// Returns the class of the locks of one owner: equal types of lock in different pools, of which
/// each pool has its own place in the order.
///
///     wedge::mutex lock{wedge::class_of_owner("node", pool_name)};
inline lock_class class_of_owner(const char* type, const std::string& owner,
                                 const class_options& options = {}) {
    return lock_class((std::string(type) + " of " + owner).c_str(), options);
}

}  // namespace wedge
