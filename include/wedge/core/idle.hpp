// Idle tasks: daemons that wait for work. The end of an execution does not wait for them.
#pragma once

#include "wedge/core/task.hpp"

namespace wedge {

/// As long as this object lives, the running task counts as waiting for work that need not come.
/// Under control, an execution in which only idle tasks are left is complete and no deadlock; the
/// idle tasks are unwound.
class idle_section {
public:
    idle_section() noexcept : self_(current()) { self_.is_idle = true; }
    ~idle_section() { self_.is_idle = false; }
    idle_section(const idle_section&) = delete;
    idle_section& operator=(const idle_section&) = delete;

private:
    task& self_;
};

}  // namespace wedge
