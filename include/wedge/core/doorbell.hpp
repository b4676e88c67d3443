// Lets a thread wait until another thread wakes it, at the cost of a futex.
#pragma once

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <ctime>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace wedge {

/// A flag that one thread waits for and other threads set. One ring lets one wait pass, whether the
/// wait has begun or not; several rings before a wait count as one.
///
/// Use it within a `sanitizer::ignore_scope`. TSan then sees no happens-before edge from a ring to
/// the end of the wait; such an edge would hide races of the program whose tasks are woken.
class doorbell {
public:
    void ring() noexcept {
        is_rung_.store(1, std::memory_order_release);
        futex(FUTEX_WAKE_PRIVATE, 1, nullptr);
    }
    void await() noexcept {
        while (!take()) futex(FUTEX_WAIT_PRIVATE, 0, nullptr);
    }
    /// Waits until a ring, or until the time is over.
    ///
    /// @return false: no ring came
    bool await_for(std::chrono::nanoseconds at_most) noexcept {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(at_most);
        const std::timespec time{static_cast<std::time_t>(seconds.count()),
                                 static_cast<long>((at_most - seconds).count())};
        if (take()) return true;
        futex(FUTEX_WAIT_PRIVATE, 0, &time);  // treats a spurious wake-up like the end of the time
        return take();
    }

private:
    bool take() noexcept { return is_rung_.exchange(0, std::memory_order_acquire) != 0; }

    void futex(int what, std::uint32_t value, const std::timespec* at_most) noexcept {
        const int errno_before = errno;
        ::syscall(SYS_futex, &is_rung_, what, value, at_most, nullptr, 0);
        errno = errno_before;
    }

    std::atomic<std::uint32_t> is_rung_{0};
};

}  // namespace wedge
