// The random generator of every engine. Equal seeds give equal numbers on every machine.
#pragma once

#include <cstdint>

#include "wedge/core/hash.hpp"

namespace wedge {

/// xoshiro256** (Blackman and Vigna 2018), seeded through splitmix64.
///
/// The distributions of the standard library differ between implementations. Use `below` instead.
class rng {
public:
    explicit constexpr rng(std::uint64_t seed = 1) noexcept {
        for (std::uint64_t& word : state_) word = mix(seed += 0x9e3779b97f4a7c15U);
    }

    constexpr std::uint64_t next() noexcept {
        const std::uint64_t result = rotate(state_[1] * 5, 7) * 9;
        const std::uint64_t shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = rotate(state_[3], 45);
        return result;
    }

    /// Returns a number in [0, n); n must not be 0. The bias is less than n / 2^32.
    constexpr std::uint32_t below(std::uint32_t n) noexcept {
        return static_cast<std::uint32_t>(((next() >> 32) * n) >> 32);
    }

private:
    static constexpr std::uint64_t rotate(std::uint64_t x, int by) noexcept {
        return (x << by) | (x >> (64 - by));
    }

    std::uint64_t state_[4]{};
};

}  // namespace wedge
