#include "wedge/core/inline_vector.hpp"

#include <initializer_list>

#include <doctest/doctest.h>

namespace inline_vector_test {

using numbers = wedge::inline_vector<int, 2>;

numbers of(std::initializer_list<int> all) {
    numbers made;
    for (const int each : all) made.push_back(each);
    return made;
}

TEST_CASE("inline_vector: elements keep their values when it outgrows its own storage") {
    numbers all;
    for (int i = 0; i < 100; ++i) {
        all.emplace_back(i);
        REQUIRE(all.size() == static_cast<std::size_t>(i) + 1);
        for (int k = 0; k <= i; ++k) REQUIRE(all[static_cast<std::size_t>(k)] == k);
    }
    CHECK(all.front() == 0);
    CHECK(all.back() == 99);
}

TEST_CASE("inline_vector: elements are inserted and erased at any place, inline and on the heap") {
    numbers all = of({1, 3});
    all.insert(all.begin() + 1, 2);
    CHECK(all == of({1, 2, 3}));
    all.insert(all.begin(), all.back());
    all.insert(all.end(), 4);
    CHECK(all == of({3, 1, 2, 3, 4}));
    all.erase(all.begin());
    all.erase(all.end() - 1);
    all.erase(all.begin() + 1);
    CHECK(all == of({1, 3}));
    all.pop_back();
    CHECK(all == of({1}));
    all.clear();
    CHECK(all.empty());
}

TEST_CASE("inline_vector: a copy has elements of its own") {
    for (const std::size_t size : {1U, 5U}) {
        numbers one;
        for (std::size_t i = 0; i < size; ++i) one.push_back(static_cast<int>(i));
        numbers other(one);
        CHECK(other == one);
        other[0] = 7;
        CHECK(one[0] == 0);
        CHECK_FALSE(other == one);
        one = other;
        CHECK(one == other);
        numbers& same = one;
        one = same;
        CHECK(one == other);
        one.push_back(1);
        CHECK_FALSE(one == other);
    }
}

}  // namespace inline_vector_test
