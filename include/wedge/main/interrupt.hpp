// Ctrl-C ends a search and not the program. The second Ctrl-C ends the program.
#pragma once

#include <atomic>
#include <csignal>

#include <unistd.h>

namespace wedge {

/// While it lives, the first SIGINT or SIGTERM sets a flag that engines look at between executions.
/// The second signal, of either kind, ends the process at once with status 130 or 143: a task may
/// be stuck, and then no engine looks.
class interrupt_scope {
public:
    interrupt_scope() {
        requested.store(false);
        struct sigaction act {};
        act.sa_handler = [](int signal) {
            if (requested.exchange(true)) ::_exit(128 + signal);
        };
        act.sa_flags = SA_RESTART;
        ::sigaction(SIGINT, &act, &old_interrupt_);
        ::sigaction(SIGTERM, &act, &old_terminate_);
    }
    interrupt_scope(const interrupt_scope&) = delete;
    interrupt_scope& operator=(const interrupt_scope&) = delete;
    ~interrupt_scope() {
        ::sigaction(SIGINT, &old_interrupt_, nullptr);
        ::sigaction(SIGTERM, &old_terminate_, nullptr);
    }

    static inline std::atomic<bool> requested{false};

private:
    struct sigaction old_interrupt_ {};
    struct sigaction old_terminate_ {};
};
static_assert(std::atomic<bool>::is_always_lock_free, "the handler may use nothing else");

}  // namespace wedge
