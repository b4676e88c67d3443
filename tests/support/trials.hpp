// How often a test on random cases tries.
#pragma once

#include "wedge/core/sanitizer.hpp"

namespace wedge {

/// All of `number` in a plain build. A sanitizer makes each try many times as long and shows by a
/// few of them what it can see; the answers themselves do not depend on it.
constexpr unsigned trials(unsigned number) {
#if defined(WEDGE_TSAN) || defined(WEDGE_ASAN)
    return number < 10 ? number : 5 + number / 20;
#else
    return number;
#endif
}

}  // namespace wedge
