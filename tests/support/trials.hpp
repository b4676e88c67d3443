// How many of its cases a test tries: all in a plain build, some under a sanitizer.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

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

/// Returns all elements in a plain build, and under a sanitizer one of every `nth`, the first
/// included.
template <class T>
std::vector<T> some_of(std::vector<T> all, [[maybe_unused]] std::size_t nth) {
#if defined(WEDGE_TSAN) || defined(WEDGE_ASAN)
    std::vector<T> some;
    for (std::size_t i = 0; i < all.size(); i += nth) some.push_back(std::move(all[i]));
    return some;
#else
    return all;
#endif
}

}  // namespace wedge
