#include "wedge/core/rng.hpp"

#include <array>

#include <doctest/doctest.h>

TEST_CASE("rng: the first sixteen numbers of seed 1 are equal on every machine") {
    constexpr std::array<std::uint64_t, 16> golden = {
        0xb3f2af6d0fc710c5U, 0x853b559647364ceaU, 0x92f89756082a4514U, 0x642e1c7bc266a3a7U,
        0xb27a48e29a233673U, 0x24c123126ffda722U, 0x123004ef8df510e6U, 0x61954dcc47b1e89dU,
        0xddfdb48ab9ed4a21U, 0x8d3cdb8c3aa5b1d0U, 0xeebd114bd87226d1U, 0xf50c3ff1e7d7e8a6U,
        0xeeca3115e23bc8f1U, 0xab49ed3db4c66435U, 0x99953c6c57808dd7U, 0xe3fa941b05219325U,
    };
    wedge::rng random(1);
    for (const std::uint64_t expected : golden) CHECK(random.next() == expected);
}

TEST_CASE("rng: below(n) stays below n and reaches every number") {
    wedge::rng random(7);
    std::array<unsigned, 5> seen{};
    for (int i = 0; i < 1000; ++i) {
        const std::uint32_t n = random.below(5);
        REQUIRE(n < 5);
        ++seen[n];
    }
    for (const unsigned count : seen) CHECK(count > 100);
}

TEST_CASE("rng: different seeds give different numbers") {
    wedge::rng one(1);
    wedge::rng two(2);
    CHECK(one.next() != two.next());
}
