// Objects of abandoned executions: tasks that stand in a destructor are left, and what they own
// leaks.
#pragma once

#include "wedge/core/sanitizer.hpp"

#if defined(WEDGE_ASAN)
#include <sanitizer/lsan_interface.h>
#endif

/// While it lives, the leak checker does not look for memory that this thread allocates.
class leaks_allowed {
public:
    leaks_allowed() {
#if defined(WEDGE_ASAN)
        __lsan_disable();
#endif
    }
    ~leaks_allowed() {
#if defined(WEDGE_ASAN)
        __lsan_enable();
#endif
    }
    leaks_allowed(const leaks_allowed&) = delete;
    leaks_allowed& operator=(const leaks_allowed&) = delete;
};
