// What differs between two runs of one execution, so that code which depends on it is noticed.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "wedge/core/rng.hpp"

namespace wedge {

/// Changes the addresses of the small blocks that this thread allocates next, and their order.
/// Otherwise the heap hands out equal addresses in each execution, and code that depends on them,
/// such as a walk over a set of pointers, looks repeatable.
///
/// @param seed  another one leads to another order
/// @param size_max  of the blocks, in bytes; at most 1,024. Each size takes 200 ns
inline void shuffle_heap(std::uint64_t seed, std::size_t size_max) noexcept {
    // The heap of glibc keeps seven free blocks of each size per thread, in steps of 16 bytes.
    constexpr std::size_t step = 16, sizes_max = 64, blocks_per_size = 8;
    const std::size_t sizes = std::min(size_max / step, sizes_max);
    const std::size_t count = sizes * blocks_per_size;
    std::array<void*, sizes_max * blocks_per_size> blocks;
    for (std::size_t i = 0; i < count; ++i) blocks[i] = std::malloc((i % sizes + 1) * step);
    rng random(seed);
    for (std::size_t left = count; left > 0; --left) {
        std::swap(blocks[left - 1], blocks[random.below(static_cast<std::uint32_t>(left))]);
        std::free(blocks[left - 1]);
    }
}

}  // namespace wedge
