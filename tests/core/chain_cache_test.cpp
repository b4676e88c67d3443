// The set of validated chains.
#include "wedge/core/chain_cache.hpp"

#include <atomic>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "wedge/core/hash.hpp"
#include "wedge/core/rng.hpp"

TEST_CASE("chain cache: every key is kept while the table grows") {
    wedge::chain_cache cache;
    wedge::rng in(1);
    for (int i = 0; i < 5000; ++i) cache.insert(in.next() | 1);
    wedge::rng again(1);
    bool all = true;
    for (int i = 0; i < 5000; ++i) all = all && cache.contains(again.next() | 1);
    CHECK(all);
    wedge::rng other(2);
    bool any = false;
    for (int i = 0; i < 5000; ++i) any = any || cache.contains(other.next() | 1);
    CHECK_FALSE(any);
    CHECK(cache.size() == 5000);
}

TEST_CASE("chain cache: a key added twice is kept once, and clear forgets all keys") {
    wedge::chain_cache cache;
    for (const std::uint64_t key : {64U, 128U, 192U, 64U}) cache.insert(key);  // one slot for all
    CHECK(cache.size() == 3);
    cache.clear();
    CHECK(cache.size() == 0);
    for (const std::uint64_t key : {64U, 128U, 192U}) CHECK_FALSE(cache.contains(key));
    cache.insert(128);
    CHECK(cache.contains(128));
}

TEST_CASE(
    "chain cache: readers find all that was inserted before and nothing else while it grows") {
    constexpr std::uint64_t count = 20'000;
    wedge::chain_cache cache;
    std::atomic<std::uint64_t> inserted{0};
    std::atomic<int> wrong{0};
    std::vector<std::thread> readers;
    for (int t = 0; t < 2; ++t)
        readers.emplace_back([&, t] {
            wedge::rng random(static_cast<std::uint64_t>(t) + 1);
            for (std::uint64_t known = 0; known < count;) {
                known = inserted.load(std::memory_order_acquire);
                if (known == 0) continue;
                const std::uint64_t one = random.below(static_cast<std::uint32_t>(known));
                if (!cache.contains(wedge::mix(one + 1))) ++wrong;
                if (cache.contains(wedge::mix(count + one + 1))) ++wrong;
            }
        });
    for (std::uint64_t i = 0; i < count; ++i) {
        cache.insert(wedge::mix(i + 1));
        inserted.store(i + 1, std::memory_order_release);
    }
    for (std::thread& reader : readers) reader.join();
    CHECK(wrong == 0);
}
