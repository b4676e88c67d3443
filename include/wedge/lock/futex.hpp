// Sleeping and waking on a word of memory, and the pause of a thread that spins.
#pragma once

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <ctime>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace wedge::detail {

using futex_word = std::atomic<std::uint32_t>;

/// Sleeps while the word has this value. May return at any time.
inline void futex_wait(const futex_word& word, std::uint32_t value) noexcept {
    const int errno_before = errno;
    ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
    errno = errno_before;
}
/// As `futex_wait`, but sleeps at most that long.
inline void futex_wait_for(const futex_word& word, std::uint32_t value,
                           std::chrono::nanoseconds at_most) noexcept {
    if (at_most.count() <= 0) return;
    constexpr std::int64_t second = 1'000'000'000;
    const std::timespec time{static_cast<std::time_t>(at_most.count() / second),
                             static_cast<long>(at_most.count() % second)};
    const int errno_before = errno;
    ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, &time, nullptr, 0);
    errno = errno_before;
}
/// Wakes a thread that sleeps on the word. The word need not exist any more: at worst another
/// thread wakes up spuriously.
inline void futex_wake(const futex_word* word) noexcept {
    const int errno_before = errno;
    ::syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
    errno = errno_before;
}

/// Tells the processor that the thread spins.
[[gnu::always_inline]] inline void spin_pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#else
    std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
}

}  // namespace wedge::detail
