// The call stacks of other threads.
#pragma once

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <mutex>

#include <pthread.h>
#include <unwind.h>

#include "wedge/core/doorbell.hpp"
#include "wedge/core/sanitizer.hpp"
#include "wedge/core/stack.hpp"

namespace wedge::detail {

/// Takes the stack of a thread that exists, by a signal (SIGURG). The thread goes on afterwards. A
/// system call of the thread is restarted.
class thread_stack {
public:
    /// Returns the thread's calls, innermost first, without those of this class; nothing if the
    /// thread does not answer within a tenth of a second.
    // Not inlined: gcc 12 at -O3 would warn that its vector frees what was not allocated.
    [[gnu::noinline]] static call_stack of(pthread_t which) {
        static std::mutex one_at_a_time;
        const std::lock_guard turn(one_at_a_time);
        const sanitizer::ignore_scope ours;
        static thread_stack& taken = *new thread_stack;  // a late answer still finds it
        current_ = &taken;
        taken.count_ = taken.skipped_ = 0;
        struct sigaction act {};
        struct sigaction before {};
        act.sa_handler = &answer;
        act.sa_flags = SA_RESTART;
        ::sigaction(SIGURG, &act, &before);
        const bool has_answered = ::pthread_kill(which, SIGURG) == 0 &&
                                  taken.answered_.await_for(std::chrono::milliseconds(100));
        ::sigaction(SIGURG, &before, nullptr);
        if (!has_answered) return {};
        return call_stack(taken.frames_.begin(),
                          taken.frames_.begin() + static_cast<std::ptrdiff_t>(taken.count_));
    }

private:
    static constexpr std::size_t frames_max = 64;

    static void answer(int) {
        const sanitizer::ignore_scope ours;
        const int errno_before = errno;
        thread_stack* const to = current_.load();
        _Unwind_Backtrace(&note_frame, to);
        to->answered_.ring();
        errno = errno_before;
    }
    static _Unwind_Reason_Code note_frame(_Unwind_Context* at, void* data) {
        auto& to = *static_cast<thread_stack*>(data);
        if (to.skipped_ < 2) return ++to.skipped_, _URC_NO_REASON;  // the handler, and its return
        if (to.count_ == frames_max) return _URC_END_OF_STACK;
        to.frames_[to.count_++] = reinterpret_cast<const void*>(_Unwind_GetIP(at));
        return _URC_NO_REASON;
    }

    static inline std::atomic<thread_stack*> current_{nullptr};

    std::array<const void*, frames_max> frames_{};
    std::size_t count_ = 0;
    std::size_t skipped_ = 0;
    doorbell answered_;
};

}  // namespace wedge::detail
