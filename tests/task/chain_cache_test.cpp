// The set of validated chains.
#include "wedge/task/chain_cache.hpp"

#include <doctest/doctest.h>

#include "wedge/base/rng.hpp"

TEST_CASE("chain cache: keeps every key while it grows") {
    wedge::chain_cache cache;
    wedge::rng in(1);
    for (int i = 0; i < 5000; ++i)
        cache.insert(in.next() | 1);
    wedge::rng again(1);
    bool all = true;
    for (int i = 0; i < 5000; ++i)
        all = all && cache.contains(again.next() | 1);
    CHECK(all);
    wedge::rng other(2);
    bool any = false;
    for (int i = 0; i < 5000; ++i)
        any = any || cache.contains(other.next() | 1);
    CHECK_FALSE(any);
    CHECK(cache.size() == 5000);
}

TEST_CASE("chain cache: a key given twice is kept once, and clearing forgets all") {
    wedge::chain_cache cache;
    for (const std::uint64_t key : {64U, 128U, 192U, 64U})
        cache.insert(key);  // one slot for all
    CHECK(cache.size() == 3);
    cache.clear();
    CHECK(cache.size() == 0);
    for (const std::uint64_t key : {64U, 128U, 192U})
        CHECK_FALSE(cache.contains(key));
    cache.insert(128);
    CHECK(cache.contains(128));
}
