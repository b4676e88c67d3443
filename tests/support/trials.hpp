// The number of tries of a test on random cases.
#pragma once

#include "wedge/core/sanitizer.hpp"

namespace wedge {

/// Returns `number` in a plain build, and fewer under a sanitizer, where each try takes many times
/// as long. A sanitizer sees what it can see in a few tries; the results do not depend on it.
constexpr unsigned trials(unsigned number) {
#if defined(WEDGE_TSAN) || defined(WEDGE_ASAN)
    return number < 10 ? number : 5 + number / 20;
#else
    return number;
#endif
}

}  // namespace wedge
