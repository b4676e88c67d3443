// Allocation scopes: what a task's allocations may not do, whatever their flags say.
#pragma once

#include "wedge/task/task.hpp"

namespace wedge {

/// The bits of `task::scopes` (Linux: PF_MEMALLOC_NOFS, PF_MEMALLOC_NOIO, PF_MEMALLOC).
namespace scope {
inline constexpr std::uint8_t nofs = 1;       ///< no reclaim that enters the file system
inline constexpr std::uint8_t noio = 2;       ///< none that starts I/O; implies nofs
inline constexpr std::uint8_t noreclaim = 4;  ///< no direct reclaim at all: a reclaimer's own state
inline constexpr std::uint8_t may_fail = 8;   ///< each may fail (Linux: make-it-fail)
inline constexpr std::uint8_t reclaim_first = 16;      ///< each that may reclaim may do so first
inline constexpr std::uint8_t nofault = 32;            ///< user copies fail rather than fault
inline constexpr std::uint8_t higher_watermarks = 64;  ///< they may stand higher for each
inline constexpr std::uint8_t heap = 128;              ///< its `new` may reclaim and fail
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
