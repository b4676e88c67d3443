// Allocation flags, and what a task's scopes leave of them.
#pragma once

#include <cstdint>

#include "wedge/core/scopes.hpp"

namespace wedge {

/// What an allocation may do to find pages: a set of bits (Linux: include/linux/gfp_types.h).
///
/// Callers pass one of the `gfp_…` constants, joined with modifiers: `gfp_nofs | gfp::nofail`.
enum class gfp : std::uint32_t {
    none = 0,
    direct_reclaim = 1,  ///< may reclaim itself, and so sleep
    kswapd_reclaim = 2,  ///< wakes kswapd
    io = 4,              ///< its reclaim may start I/O
    fs = 8,              ///< its reclaim may enter the file system
    high = 16,           ///< urgent
    noretry = 32,        ///< give up early; may still sleep
    retry_mayfail = 64,  ///< try hard, but fail instead of killing a process
    nofail = 128,        ///< never fail: try forever
    nolockdep = 256,     ///< no order check of this allocation
};

constexpr gfp operator|(gfp a, gfp b) noexcept {
    return static_cast<gfp>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}
constexpr bool has(gfp all, gfp one) noexcept {
    return (static_cast<std::uint32_t>(all) & static_cast<std::uint32_t>(one)) != 0;
}
constexpr gfp without(gfp all, gfp some) noexcept {
    return static_cast<gfp>(static_cast<std::uint32_t>(all) & ~static_cast<std::uint32_t>(some));
}

inline constexpr gfp gfp_noio = gfp::direct_reclaim | gfp::kswapd_reclaim;
inline constexpr gfp gfp_nofs = gfp_noio | gfp::io;
inline constexpr gfp gfp_kernel = gfp_nofs | gfp::fs;
inline constexpr gfp gfp_nowait = gfp::kswapd_reclaim;
inline constexpr gfp gfp_atomic = gfp::high | gfp::kswapd_reclaim;

/// Returns the flags that remain for a task with these scopes (Linux: current_gfp_context, and
/// PF_MEMALLOC, under which an allocation never reclaims).
constexpr gfp effective(gfp asked, std::uint8_t scopes) noexcept {
    if ((scopes & scope::noio) != 0) {
        asked = without(asked, gfp::io | gfp::fs);
    } else if ((scopes & scope::nofs) != 0) {
        asked = without(asked, gfp::fs);
    }
    if ((scopes & scope::noreclaim) != 0) asked = without(asked, gfp::direct_reclaim);
    return asked;
}

}  // namespace wedge
