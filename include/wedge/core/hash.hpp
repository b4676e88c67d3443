// Small non-cryptographic hashes with equal results on every machine.
#pragma once

#include <cstdint>
#include <string_view>

namespace wedge {

/// Mixes all bits of a word (the finaliser of splitmix64, Steele, Lea and Flood 2014).
constexpr std::uint64_t mix(std::uint64_t x) noexcept {
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9U;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebU;
    x ^= x >> 31;
    return x;
}

/// Folds `value` into `seed`. The result depends on the order of the calls.
constexpr std::uint64_t combine(std::uint64_t seed, std::uint64_t value) noexcept {
    return mix(seed * 0x9e3779b97f4a7c15U + value + 0x632be59bd9b4e019U);
}

/// Hashes names and texts: FNV-1a with a final mix.
constexpr std::uint64_t hash_text(std::string_view text) noexcept {
    std::uint64_t h = 0xcbf29ce484222325U;
    for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return mix(h);
}

}  // namespace wedge
