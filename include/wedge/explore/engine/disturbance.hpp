// What differs between two runs of one execution, so that code which depends on it is noticed.
#pragma once

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
inline void shuffle_heap(std::uint64_t seed) noexcept {
    // The heap of glibc keeps seven free blocks of each size per thread, in steps of 16 bytes.
    constexpr std::size_t step = 16, sizes = 64, blocks_per_size = 8;
    std::array<void*, sizes * blocks_per_size> blocks;
    for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i] = std::malloc((i % sizes + 1) * step);
    rng random(seed);
    for (std::size_t left = blocks.size(); left > 0; --left) {
        std::swap(blocks[left - 1], blocks[random.below(static_cast<std::uint32_t>(left))]);
        std::free(blocks[left - 1]);
    }
}

}  // namespace wedge
