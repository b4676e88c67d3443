// Allocation scopes, which limit the reclaim of a task's allocations or let them fail.
// flags.
#pragma once

#include "wedge/core/task.hpp"

namespace wedge {

/// The bits of `task::scopes` (Linux: PF_MEMALLOC_NOFS, PF_MEMALLOC_NOIO, PF_MEMALLOC).
namespace scope {
inline constexpr std::uint8_t nofs = 1;  ///< no reclaim that enters the file system
inline constexpr std::uint8_t noio = 2;  ///< no reclaim that starts I/O; implies nofs
/// No direct reclaim at all: the state of a reclaimer.
inline constexpr std::uint8_t noreclaim = 4;
inline constexpr std::uint8_t may_fail = 8;  ///< each allocation may fail (Linux: make-it-fail)
/// Each allocation that may reclaim may do so first.
inline constexpr std::uint8_t reclaim_first = 16;
inline constexpr std::uint8_t nofault = 32;  ///< user copies fail instead of faulting
/// The watermarks may be higher for each allocation.
inline constexpr std::uint8_t higher_watermarks = 64;
inline constexpr std::uint8_t heap = 128;  ///< `new` may reclaim and fail
}  // namespace scope

/// Adds scopes to the running task until the end of the block.
class alloc_scope {
public:
    explicit alloc_scope(std::uint8_t bits) noexcept : self_(current()), before_(self_.scopes) {
        self_.scopes = static_cast<std::uint8_t>(before_ | bits);
    }
    ~alloc_scope() { self_.scopes = before_; }
    alloc_scope(const alloc_scope&) = delete;
    alloc_scope& operator=(const alloc_scope&) = delete;

private:
    task& self_;
    const std::uint8_t before_;
};

}  // namespace wedge
