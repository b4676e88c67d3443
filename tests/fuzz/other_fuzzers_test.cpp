#include "wedge/fuzz/other_fuzzers.hpp"

#include <set>

#include <doctest/doctest.h>

#include "fuzz/sample_workloads.hpp"

#if defined(__clang__)
extern "C" [[gnu::visibility("hidden")]] std::uint64_t __start___centipede_extra_features;
extern "C" [[gnu::visibility("hidden")]] std::uint64_t __stop___centipede_extra_features;
// Null in a program without this section.
extern "C" [[gnu::weak, gnu::visibility("hidden")]] std::uint32_t __start___sancov_guards;
extern "C" [[gnu::weak, gnu::visibility("hidden")]] std::uint32_t __stop___sancov_guards;
#endif

namespace {

using wedge::fuzz_counters_size;
namespace detail = wedge::detail;

}  // namespace

TEST_CASE("other fuzzers: Centipede has a feature per counter and power of two") {
    std::array<std::uint8_t, fuzz_counters_size> counters{};
    detail::fuzz_features words{};
    std::set<std::uint64_t> seen;
    for (const unsigned hits : {1U, 2U, 3U, 4U, 8U, 16U, 32U, 128U, 255U})
        for (const std::size_t counter : {0U, 1U, 4095U}) {
            counters.fill(0);
            counters[counter] = static_cast<std::uint8_t>(hits);
            detail::put_features(counters, words);
            CHECK(std::count(words.begin(), words.end(), 0) == fuzz_counters_size - 1);
            CHECK((words[counter] >> 32) == 0);  // the domain
            seen.insert(words[counter]);
        }
    CHECK(seen.size() == 3 * 8);  // 128 and 255 fall into one class
}

TEST_CASE("other fuzzers: a counter goes to its own place in AFL++'s map, if it has one") {
    std::array<std::uint8_t, fuzz_counters_size> counters{};
    counters[5] = 3;
    counters[6] = 4;
    counters[7] = 5;
    detail::fuzz_places places{};
    places[5] = 10;
    places[7] = 16;  // behind the end
    std::array<std::uint8_t, 16> map{};
    detail::put_into_map(counters, places, map);
    std::array<std::uint8_t, 16> wanted{};
    wanted[10] = 3;
    CHECK(map == wanted);
}

TEST_CASE("other fuzzers: AFL++'s mutator makes programs, also from nothing") {
    const wedge::fuzz_group group({wedge::fuzz_design_of<samples::transfer<true>>()});
    wedge::afl_mutator mutator(group, 1);
    std::vector<std::uint8_t> input;
    std::set<std::vector<std::uint8_t>> seen;
    for (unsigned i = 0; i < 200; ++i) {
        const std::span<std::uint8_t> made = mutator.fuzz(input, {}, 64);
        REQUIRE(made.size() <= 64);
        input.assign(made.begin(), made.end());
        CHECK(wedge::encode(wedge::decode(input, group.counts())) == input);
        seen.insert(input);
    }
    CHECK(seen.size() > 100);
}

#if defined(__clang__)
TEST_CASE("other fuzzers: the data is in the sections that they look for") {
    CHECK(&__start___centipede_extra_features <= detail::centipede_features.begin());
    CHECK(&__stop___centipede_extra_features >= detail::centipede_features.end());
    // Centipede counts each word of AFL++'s section as a branch.
    const std::uint32_t* const places = detail::afl_places.data();
    CHECK_FALSE((&__start___sancov_guards <= places && places < &__stop___sancov_guards));
    CHECK_FALSE(wedge::is_under_afl());
}
#endif

TEST_CASE("other fuzzers: a program's name may contain its design") {
    CHECK(wedge::design_in_name("fuzz_hierarchy--planted") == "planted");
    CHECK(wedge::design_in_name("/a--b/fuzz_hierarchy--gpu_device-upstream") ==
          "gpu_device<upstream>");
    CHECK(wedge::design_in_name("/a--b/fuzz_hierarchy").empty());
}
