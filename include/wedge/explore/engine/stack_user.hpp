// The interface of what runs on the stacks of an execution.
#pragma once

#include <cstdint>

namespace wedge {

class stack_user {
public:
    /// Runs one task from start to end. Called again for each execution that uses the stack.
    /// @return the stack that goes on now
    virtual std::uint32_t run_on(std::uint32_t stack) noexcept = 0;

protected:
    ~stack_user() = default;
};

}  // namespace wedge
