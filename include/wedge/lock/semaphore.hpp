// A counting semaphore.
#pragma once

#include "wedge/lock/counted.hpp"

namespace wedge {

/// A count of units. `down` waits for a unit and takes it; `up` gives a unit back, from any task.
///
/// Under control a timed wait may give up whenever the engine chooses.
template <class Level = default_level>
class basic_semaphore {
public:
    explicit basic_semaphore(std::uint32_t units, label as = site::current())
        : count_(lock_kind::semaphore, units, as) {}

    void down(site where = site::current()) { count_.take(where); }
    bool try_down(site where = site::current()) { return count_.try_take(where); }
    template <class Rep, class Period>
    bool down_for(std::chrono::duration<Rep, Period> at_most, site where = site::current()) {
        return down_until(std::chrono::steady_clock::now() + at_most, where);
    }
    template <class Clock, class Duration>
    bool down_until(std::chrono::time_point<Clock, Duration> end, site where = site::current()) {
        return count_.take_until(end, where);
    }
    /// Takes a unit; returns false if a signal came first. In a live program no signal comes; under
    /// control that is a choice.
    bool down_interruptible(site where = site::current()) {
        return count_.take_interruptible(where);
    }
    void up(site where = site::current()) { count_.give(1, where); }

private:
    detail::counted<Level> count_;
};

using semaphore = basic_semaphore<>;

}  // namespace wedge
