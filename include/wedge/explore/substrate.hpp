// What carries the tasks of an execution: fibers or real threads, under one controller.
#pragma once

#include <cstdint>

namespace wedge {

/// Runs one of several stacks at a time and switches between them. Stack 0 is the caller's own;
/// stack i + 1 belongs to task i and is made on its first use, then kept for later executions.
class stack_switcher {
public:
    stack_switcher() = default;
    stack_switcher(const stack_switcher&) = delete;
    stack_switcher& operator=(const stack_switcher&) = delete;
    virtual ~stack_switcher() = default;

    /// Lets `to` go on, and returns when somebody lets `from` go on. `from` is the caller.
    virtual void switch_to(std::uint32_t from, std::uint32_t to) = 0;

    /// Lets `to` go on for good: what `from` was doing stays undone, and its next use begins anew.
    [[noreturn]] virtual void leave(std::uint32_t from, std::uint32_t to) = 0;
};

/// What runs on the stacks.
class stack_user {
public:
    /// Runs one task from start to end. Called again for each execution that uses the stack.
    /// @return the stack that goes on now
    virtual std::uint32_t run_on(std::uint32_t stack) noexcept = 0;

protected:
    ~stack_user() = default;
};

}  // namespace wedge
