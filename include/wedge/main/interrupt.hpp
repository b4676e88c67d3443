// Ctrl-C ends a search rather than the program; the second one ends the program.
#pragma once

#include <atomic>
#include <csignal>

namespace wedge {

/// While it lives, SIGINT and SIGTERM raise a flag that engines look at.
class interrupt_scope {
public:
    interrupt_scope() {
        requested.store(false);
        struct sigaction act {};
        act.sa_handler = [](int) { requested.store(true); };
        act.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
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
