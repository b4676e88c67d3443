// The loop of delta debugging: what can go, large parts first.
#pragma once

#include <algorithm>
#include <cstddef>

namespace wedge {

/// Tries to remove runs of things, all of them at first, then half of them, at last each alone
/// (Zeller and Hildebrandt, 2002).
///
/// @param count    () -> how many there are now
/// @param removes  (first, end) -> bool, whether they could go
/// @return whether anything went
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
