// What carries the tasks of an execution: fibers or real threads, under one controller.
#pragma once

#include <cstdint>
#include <memory>

#include <pthread.h>

#include "wedge/core/check.hpp"
#include "wedge/core/one_build.hpp"
#include "wedge/core/sanitizer.hpp"
#include "wedge/explore/engine/baton.hpp"
#include "wedge/explore/engine/fiber.hpp"
#include "wedge/explore/options.hpp"

namespace wedge {

#if defined(WEDGE_FIBERS)
inline constexpr bool has_fibers = true;
#else
inline constexpr bool has_fibers = false;
#endif

namespace detail {

/// The switchers have a layout for each of these.
[[maybe_unused]] static const bool switchers_are_registered =
    register_build_setting(build_setting::fibers, has_fibers ? 1 : 0) &&
    register_build_setting(build_setting::address_sanitizer, sanitizer::address ? 1 : 0);

}  // namespace detail

/// Runs one of several stacks at a time and switches between them. Stack 0 is the caller's own;
/// stack i + 1 belongs to task i and is made on its first use, then kept for later executions.
///
/// No virtual call is on a switch: it is inlined into the step, since behind it the processor
/// mispredicts the return of every function that it has entered.
class stacks {
public:
    /// @throws error  when fibers are asked for and not built in
    stacks([[maybe_unused]] substrate on, stack_user& user) {
#if defined(WEDGE_FIBERS)
        if (on != substrate::threads) {
            fibers_ = std::make_unique<fiber_switcher>(user);
            return;
        }
#else
        if (on == substrate::fibers)
            throw error("fibers are not built in: link wedge::explore with Boost.Context");
#endif
        threads_ = std::make_unique<baton_switcher>(user);
    }

    /// Lets `to` go on, and returns when somebody lets `from` go on. `from` is the caller, within
    /// a `sanitizer::ignore_scope`.
    [[gnu::always_inline]] void switch_to(std::uint32_t from, std::uint32_t to) {
#if defined(WEDGE_FIBERS)
        if (fibers_ != nullptr) [[likely]]
            return fibers_->switch_to(from, to);
#endif
        threads_->switch_to(from, to);
    }

    /// Lets `to` go on for good: what `from` was doing stays undone, and its next use begins anew.
    [[noreturn]] void leave(std::uint32_t from, std::uint32_t to) {
#if defined(WEDGE_FIBERS)
        if (fibers_ != nullptr) fibers_->leave(from, to);
#endif
        threads_->leave(from, to);
    }

    /// The thread that the code of a task runs on; called by any thread.
    ///
    /// @param home  the caller's of the last execution
    pthread_t running_thread(pthread_t home) const noexcept {
        return threads_ != nullptr ? threads_->running_thread(home) : home;
    }

private:
#if defined(WEDGE_FIBERS)
    std::unique_ptr<fiber_switcher> fibers_;
#endif
    std::unique_ptr<baton_switcher> threads_;
};

}  // namespace wedge
