// Targets under AFL++ and Centipede: the counters in the form that each fuzzer reads, and AFL++'s
// mutator. Also targets under services that pass them no options.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wedge/core/rng.hpp"
#include "wedge/fuzz/coverage.hpp"
#include "wedge/fuzz/group.hpp"

namespace wedge {

namespace detail {

/// Returns a counter as a word for Centipede: its number, and its hits in powers of two, as
/// libFuzzer and AFL++ count them. The upper half names a domain of features; wedge's is 0. 0: no
/// feature.
constexpr std::uint64_t feature_of(std::size_t counter, std::uint8_t hits) noexcept {
    if (hits == 0) return 0;
    const unsigned much = hits >= 128  ? 7
                          : hits >= 32 ? 6
                          : hits >= 16 ? 5
                          : hits >= 8  ? 4
                          : hits >= 4  ? 3
                                       : hits - 1U;
    return (counter + 1) << 3 | much;
}
static_assert(feature_of(fuzz_counters_size, 255) < (1U << 27), "as far as a domain goes");

using fuzz_features = std::array<std::uint64_t, fuzz_counters_size>;
inline void put_features(std::span<const std::uint8_t> counters, fuzz_features& into) noexcept {
    for (std::size_t i = 0; i < counters.size(); ++i) into[i] = feature_of(i, counters[i]);
}

/// A place in AFL++'s map for each counter; 0: it has no place.
using fuzz_places = std::array<std::uint32_t, fuzz_counters_size>;
inline void put_into_map(std::span<const std::uint8_t> counters, const fuzz_places& places,
                         std::span<std::uint8_t> map) noexcept {
    for (std::size_t i = 0; i < counters.size(); ++i)
        if (counters[i] != 0 && places[i] != 0 && places[i] < map.size())
            map[places[i]] = counters[i];
}

// As in coverage.hpp, only clang accepts these attributes.
#if defined(__clang__)
/// Centipede reads each word that is not 0, and clears it.
[[gnu::used, gnu::retain,
  gnu::section("__centipede_extra_features")]] inline fuzz_features centipede_features{};
extern "C" [[gnu::weak]] void CentipedeIsPresent();

/// AFL++ numbers the words of this section when it starts, as if each were a branch, and makes its
/// map large enough. With link-time optimisation it does not, and they stay 0. AFL++'s compiler
/// alone puts them into this section: Centipede also counts its words as branches, and aborts since
/// they have no address.
#if defined(__AFL_COMPILER)
[[gnu::used, gnu::retain, gnu::section("__sancov_guards")]]
#endif
inline fuzz_places afl_places{};
#endif

}  // namespace detail

/// Returns whether this program runs under AFL++.
inline bool is_under_afl() noexcept {
#if defined(__clang__)
    return &detail::afl_map != nullptr;
#else
    return false;
#endif
}

/// Gives the counters of an execution to AFL++ or Centipede, if the program runs under one, and
/// clears them. libFuzzer reads them itself.
inline void hand_over_counters() noexcept {
#if defined(__clang__)
    const bool is_centipede = &detail::CentipedeIsPresent != nullptr;
    if (is_centipede) detail::put_features(detail::fuzz_counters, detail::centipede_features);
    if (is_under_afl())
        detail::put_into_map(detail::fuzz_counters, detail::afl_places, detail::branches());
    if (is_centipede || is_under_afl()) detail::fuzz_counters.fill(0);
#endif
}

/// Returns the design in a program's name: `device<upstream>` for
/// `/out/fuzz_hierarchy--device-upstream`. ClusterFuzz passes no options to a single target. Empty:
/// the name has no design.
inline std::string design_in_name(std::string_view path) {
    const std::string_view file = path.substr(path.rfind('/') + 1);
    const std::size_t mark = file.find("--");
    if (mark == std::string_view::npos) return {};
    std::string design(file.substr(mark + 2));
    if (const std::size_t open = design.find('-'); open != std::string::npos) {
        design[open] = '<';
        design += '>';
    }
    return design;
}

/// wedge's mutations for AFL++, which loads them from a library.
class afl_mutator {
public:
    afl_mutator(const fuzz_group& group, std::uint64_t seed) : group_(group), random_(seed) {}

    /// @return  the changed input, until the next call
    std::span<std::uint8_t> fuzz(std::span<const std::uint8_t> one,
                                 std::span<const std::uint8_t> other, std::size_t size_max) {
        made_.resize(std::min(size_max, input_size_max));
        return {made_.data(), group_.offspring(one, other, made_, random_)};
    }

private:
    static constexpr std::size_t input_size_max = 256;  // as in the .options files

    const fuzz_group& group_;
    rng random_;
    std::vector<std::uint8_t> made_;
};

}  // namespace wedge
