// An event that one task completes and others wait for.
#pragma once

#include "wedge/lock/counted.hpp"

namespace wedge {

/// An event to wait for. Each `complete` lets one wait pass, and is remembered until then. After
/// `complete_all` every wait passes, until `reset` (Linux: struct completion).
template <class Level = default_level>
class basic_completion {
public:
    basic_completion(label as = site::current()) : count_(lock_kind::completion, 0, as) {}

    void wait(site where = site::current()) { count_.take(where); }
    bool try_wait(site where = site::current()) { return count_.try_take(where); }
    /// Waits at most that long; returns false if it gave up. Under control it may give up whenever
    /// the engine chooses.
    template <class Rep, class Period>
    bool wait_for(std::chrono::duration<Rep, Period> at_most, site where = site::current()) {
        return wait_until(std::chrono::steady_clock::now() + at_most, where);
    }
    template <class Clock, class Duration>
    bool wait_until(std::chrono::time_point<Clock, Duration> end, site where = site::current()) {
        return count_.take_until(end, where);
    }
    /// Waits until completed; returns false if a signal came first. In a live program no signal
    /// comes; under control that is a choice.
    bool wait_interruptible(site where = site::current()) {
        return count_.take_interruptible(where);
    }
    void complete(site where = site::current()) { count_.give(1, where); }
    void complete_all(site where = site::current()) { count_.give(for_good, where); }
    /// Forgets what was completed and has let no wait pass (Linux: reinit_completion). Never
    /// blocks.
    void reset(site where = site::current()) { count_.take_all(where); }

private:
    detail::counted<Level> count_;
};

using completion = basic_completion<>;

}  // namespace wedge
