#include "wedge/core/held.hpp"

#include <doctest/doctest.h>

TEST_CASE("held_locks: any hold may be released, and the others keep their order") {
    wedge::held_locks held;
    for (std::uint32_t i = 1; i <= 3; ++i) held.push({.instance = i});
    held.erase(held.find(2));
    REQUIRE(held.size() == 2);
    CHECK(held[0].instance == 1);
    CHECK(held[1].instance == 3);
    CHECK(held.find(2) == nullptr);
}

TEST_CASE("held_locks: the number of holds has no limit") {
    wedge::held_locks held;
    for (std::uint32_t i = 1; i <= 1000; ++i) held.push({.instance = i});
    for (std::uint32_t i = 1; i <= 1000; ++i) REQUIRE(held[i - 1].instance == i);
    for (std::uint32_t i = 1; i <= 1000; ++i) held.erase(held.find(i));
    CHECK(held.empty());
}
