// The loop of delta debugging: removes what can be removed, large parts first.
#pragma once

#include <algorithm>
#include <cstddef>

namespace wedge {

/// Tries to remove runs of elements: first all of them, then half of them, at last single elements
/// (Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002).
///
/// @param count    () -> the current number of elements
/// @param removes  (first, end) -> bool; removes these elements if it can, and says whether it did
/// @return whether any element was removed
template <class Count, class Removes>
bool remove_runs(Count count, Removes removes) {
    bool is_smaller = false;
    for (std::size_t size = count(); size > 0; size /= 2) {
        for (std::size_t at = 0; at < count();) {
            const std::size_t end = std::min(at + size, count());
            if (removes(at, end))
                is_smaller = true;
            else
                at = end;
        }
    }
    return is_smaller;
}

}  // namespace wedge
