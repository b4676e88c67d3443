// Memory pressure as choices of the engine.
#pragma once

#include <cstdint>

#include "wedge/task/scopes.hpp"

namespace wedge {

/// What may happen to an allocation although memory suffices. All off: allocations depend on the
/// watermarks only, and a plain exploration stays small. Each is a recorded `choose`.
struct pressure {
    bool fail_allocations = false;  ///< any but a NOFAIL one may fail
    bool force_reclaim = false;     ///< one that may reclaim directly may do so first
};

/// Puts the allocations of the running task under this pressure, beside that of their zone, until
/// it says otherwise (Linux: /proc/self/make-it-fail). A workload's action may do so, which lets
/// programs say who is under pressure and from when on.
inline void put_under(pressure how) noexcept {
    constexpr std::uint8_t both = scope::may_fail | scope::reclaim_first;
    std::uint8_t& all = current().scopes;
    all = static_cast<std::uint8_t>((all & ~both) | (how.fail_allocations ? scope::may_fail : 0) |
                                    (how.force_reclaim ? scope::reclaim_first : 0));
}

}  // namespace wedge
