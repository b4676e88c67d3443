// Points where tasks wait for each other: a latch and a barrier.
#pragma once

#include <cstddef>

#include "wedge/lock/atomic.hpp"
#include "wedge/lock/counted.hpp"

namespace wedge {

/// A counter that opens forever when it has been counted down to zero.
template <class Level = default_level>
class basic_latch {
public:
    explicit basic_latch(std::uint32_t expected, label as = site::current())
        : left_(expected, as), open_(lock_kind::completion, expected == 0 ? for_good : 0, as) {}

    void count_down(site where = site::current()) {
        if (left_.fetch_sub(1, where) == 1) open_.give(for_good, where);
    }
    void wait(site where = site::current()) { open_.take(where); }
    bool try_wait(site where = site::current()) { return open_.try_take(where); }
    /// Waits at most that long; returns false if it gave up. Under control it may give up whenever
    /// the engine chooses.
    template <class Rep, class Period>
    bool wait_for(std::chrono::duration<Rep, Period> at_most, site where = site::current()) {
        return wait_until(std::chrono::steady_clock::now() + at_most, where);
    }
    template <class Clock, class Duration>
    bool wait_until(std::chrono::time_point<Clock, Duration> end, site where = site::current()) {
        return open_.take_until(end, where);
    }
    void arrive_and_wait(site where = site::current()) {
        count_down(where);
        wait(where);
    }

private:
    basic_atomic<std::uint32_t, Level> left_;
    detail::counted<Level> open_;
};

/// A point that lets its tasks pass once all of them have arrived, again and again.
template <class Level = default_level>
class basic_barrier {
public:
    explicit basic_barrier(std::uint32_t parties, label as = site::current())
        : parties_(parties),
          arrived_(0, as),
          gates_{{lock_kind::semaphore, 0, as}, {lock_kind::semaphore, 0, as}} {}

    void arrive_and_wait(site where = site::current()) {
        const std::uint64_t arrival = arrived_.fetch_add(1, where);
        // Two gates alternate: no task waits at a gate again before all tasks have left it.
        detail::counted<Level>& gate = gates_[arrival / parties_ % 2];
        if (arrival % parties_ + 1 == parties_)
            gate.give(parties_ - 1, where);
        else
            gate.take(where);
    }

private:
    const std::uint32_t parties_;
    basic_atomic<std::uint64_t, Level> arrived_;
    detail::counted<Level> gates_[2];
};

using latch = basic_latch<>;
using barrier = basic_barrier<>;

}  // namespace wedge
