// The memory of the preloaded library, which is apart from the program's.
#pragma once

#include <cstddef>

namespace wedge::run {

/// Returns memory aligned to 16 bytes. Ends the process if the kernel gives no memory.
void* allocate_private(std::size_t size) noexcept;
void release_private(void* memory) noexcept;

/// Call these around a fork, so that the child does not inherit a lock that nobody releases.
void lock_private_memory() noexcept;
void unlock_private_memory() noexcept;

}  // namespace wedge::run
