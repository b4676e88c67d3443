// The names of <semaphore>, <latch> and <barrier>, with the signatures of the standard.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

#include "wedge/lock/atomic.hpp"
#include "wedge/lock/completion.hpp"
#include "wedge/lock/counted.hpp"

namespace wedge::std_like {

/// As std::counting_semaphore.
template <std::ptrdiff_t Max = std::numeric_limits<std::int32_t>::max()>
class counting_semaphore {
public:
    explicit counting_semaphore(std::ptrdiff_t units, site where = site::current())
        : count_(lock_kind::semaphore, static_cast<std::uint32_t>(units), where) {}
    counting_semaphore(const counting_semaphore&) = delete;
    counting_semaphore& operator=(const counting_semaphore&) = delete;

    static constexpr std::ptrdiff_t max() noexcept { return Max; }
    void acquire(site where = site::current()) { count_.take(where); }
    bool try_acquire(site where = site::current()) { return count_.try_take(where); }
    template <class Clock, class Duration>
    bool try_acquire_until(const std::chrono::time_point<Clock, Duration>& end,
                           site where = site::current()) {
        return count_.take_until(end, where);
    }
    template <class Rep, class Period>
    bool try_acquire_for(const std::chrono::duration<Rep, Period>& at_most,
                         site where = site::current()) {
        return try_acquire_until(std::chrono::steady_clock::now() + at_most, where);
    }
    void release(std::ptrdiff_t units = 1, site where = site::current()) {
        if (units != 0) count_.give(static_cast<std::uint32_t>(units), where);
    }

private:
    detail::counted<default_level> count_;
};

using binary_semaphore = counting_semaphore<1>;

/// As std::latch.
class latch {
public:
    explicit latch(std::ptrdiff_t expected, site where = site::current())
        : left_(expected, where), open_(where) {
        if (expected == 0) open_.complete_all(where);
    }
    latch(const latch&) = delete;
    latch& operator=(const latch&) = delete;

    static constexpr std::ptrdiff_t max() noexcept {
        return std::numeric_limits<std::ptrdiff_t>::max();
    }
    void count_down(std::ptrdiff_t by = 1, site where = site::current()) {
        if (left_.fetch_sub(by, where) == by) open_.complete_all(where);
    }
    bool try_wait(site where = site::current()) { return open_.try_wait(where); }
    void wait(site where = site::current()) { open_.wait(where); }
    void arrive_and_wait(std::ptrdiff_t by = 1, site where = site::current()) {
        count_down(by, where);
        wait(where);
    }

private:
    basic_atomic<std::ptrdiff_t> left_;
    completion open_;
};

namespace parts {

struct no_completion {
    void operator()() const noexcept {}
};

}  // namespace parts

/// As std::barrier. The last task of a phase calls the completion function, before any task leaves
/// the phase.
template <class Completion = parts::no_completion>
class barrier {
public:
    class arrival_token {
    public:
        arrival_token(arrival_token&&) noexcept = default;
        arrival_token& operator=(arrival_token&&) noexcept = default;

    private:
        friend barrier;
        explicit arrival_token(std::shared_ptr<completion> phase) : phase_(std::move(phase)) {}
        std::shared_ptr<completion> phase_;
    };

    explicit barrier(std::ptrdiff_t expected, Completion at_end = Completion(),
                     site where = site::current())
        : where_(where),
          at_end_(std::move(at_end)),
          expected_(expected, where),
          left_(expected, where),
          phase_(std::make_shared<completion>(where)) {}
    barrier(const barrier&) = delete;
    barrier& operator=(const barrier&) = delete;

    static constexpr std::ptrdiff_t max() noexcept {
        return std::numeric_limits<std::ptrdiff_t>::max();
    }
    [[nodiscard]] arrival_token arrive(std::ptrdiff_t by = 1, site where = site::current()) {
        // The phase cannot end before this task arrives, so no other task writes it now.
        arrival_token mine(phase_);
        if (left_.fetch_sub(by, where) == by) end_phase(where);
        return mine;
    }
    void wait(arrival_token&& arrival, site where = site::current()) const {
        const arrival_token mine(std::move(arrival));
        mine.phase_->wait(where);
    }
    void arrive_and_wait(site where = site::current()) { wait(arrive(1, where), where); }
    void arrive_and_drop(site where = site::current()) {
        expected_.fetch_sub(1, where);
        static_cast<void>(arrive(1, where));
    }

private:
    void end_phase(site where) {
        at_end_();
        const std::shared_ptr<completion> over =
            std::exchange(phase_, std::make_shared<completion>(where_));
        left_.store(expected_.load(where), where);
        over->complete_all(where);
    }

    const site where_;
    Completion at_end_;
    basic_atomic<std::ptrdiff_t> expected_;
    basic_atomic<std::ptrdiff_t> left_;
    std::shared_ptr<completion> phase_;
};

}  // namespace wedge::std_like
