// The stacks of an execution's tasks: fibers or real threads, under one controller.
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

/// The layout of these classes depends on the setting.
[[maybe_unused]] static const bool switchers_are_registered =
    register_build_setting(build_setting::fibers, has_fibers ? 1 : 0) &&
    register_build_setting(build_setting::address_sanitizer, sanitizer::address ? 1 : 0);

}  // namespace detail

/// Runs one of several stacks at a time and switches between them. Stack 0 is the caller's own;
/// stack i + 1 belongs to task i. It is made on its first use, and kept for later executions.
///
/// A switch makes no virtual call. It is inlined into the step, because after a switch the
/// processor mispredicts the return of every function that it has entered.
class stacks {
public:
    /// @throws error  fibers are asked for and not built in
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

    bool are_fibers() const noexcept {
        return threads_ == nullptr;
    }

    /// Lets `to` go on, and returns when another stack lets `from` go on. `from` is the caller,
    /// within a `sanitizer::ignore_scope`.
    [[gnu::always_inline]] void switch_to(std::uint32_t from, std::uint32_t to) {
#if defined(WEDGE_FIBERS)
        if (fibers_ != nullptr) [[likely]]
            return fibers_->switch_to(from, to);
#endif
        threads_->switch_to(from, to);
    }

    /// See `fiber_switcher::release_all`. Threads that pass a baton do nothing.
    void release_all([[maybe_unused]] void* object) noexcept {
#if defined(WEDGE_FIBERS)
        if (fibers_ != nullptr) fibers_->release_all(object);
#endif
    }

    /// Lets `to` go on for good: what `from` was doing stays undone, and its next use begins again.
    [[noreturn]] void leave(std::uint32_t from, std::uint32_t to) {
#if defined(WEDGE_FIBERS)
        if (fibers_ != nullptr) fibers_->leave(from, to);
#endif
        threads_->leave(from, to);
    }

    /// Returns the thread that the code of a task runs on. Any thread may call it.
    ///
    /// @param home  the thread that called the last execution
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
