#include <thread>

#include <doctest/doctest.h>

#include "wedge/model/memory.hpp"

namespace free_blocks_test {
using namespace wedge;

namespace {

/// Takes all pages one by one, and gives some back: they are free, but form no larger block.
void scatter(memory& zone, std::uint32_t pages) {
    while (zone.alloc(1, gfp_nowait)) {
    }
    for (std::uint32_t i = 0; i < pages; ++i) zone.free(1);
}

class owner final : public page_mover {
public:
    explicit owner(memory& zone) { zone.add(*this); }
    bool move() override {
        ++asked;
        reclaims_within = (current().scopes & scope::noreclaim) == 0;
        return is_movable;
    }
    bool is_movable = true;
    bool reclaims_within = true;
    int asked = 0;
};

}  // namespace

TEST_CASE("free blocks: a block is split for a smaller one, and the rest stays free") {
    free_blocks all(8);
    CHECK(all.take_block(0));
    CHECK(!all.take_block(3));
    CHECK(all.take_block(2));
    CHECK(all.take_block(1));
    CHECK(all.take_block(0));
    CHECK(!all.take_block(0));
}

TEST_CASE("free blocks: pages that come together are one piece, pages that come apart are not") {
    free_blocks all(0);
    all.put(6);
    CHECK(all.take_block(2));
    CHECK(all.take_block(1));
    for (int i = 0; i < 4; ++i) all.put(1);
    CHECK(!all.take_block(1));
    CHECK(all.compact());
    CHECK(!all.compact());
    CHECK(all.take_block(2));
}

TEST_CASE("free blocks: pages are taken from the smallest blocks first") {
    free_blocks all(4);
    all.put(1);
    all.take(1);
    CHECK(all.take_block(2));
    all.put(8);
    all.take(5);
    CHECK(all.take_block(1));
    CHECK(all.take_block(0));
}

TEST_CASE("free blocks: natively threads lose no page") {
    free_blocks all(16);
    const auto work = [&] {
        for (int i = 0; i < 1000; ++i) {
            all.take(3);
            all.put(3);
            if (all.take_block(1)) all.put(2);
        }
    };
    std::thread other(work);
    work();
    other.join();
    while (all.compact()) {
    }
    CHECK(all.take_block(4));
}

TEST_CASE("memory: scattered pages make no block until they are compacted") {
    memory zone({.pages = 8});
    scatter(zone, 4);
    CHECK(zone.free_pages() == 4);
    CHECK(!zone.alloc_block(2, gfp_nowait));
    CHECK(!zone.alloc_block(2, gfp_noio));  // compaction starts I/O
    CHECK(zone.free_pages() == 4);
    CHECK(zone.alloc_block(2, gfp_nofs));
    CHECK(zone.free_pages() == 0);
}

TEST_CASE("memory: pages that cannot move keep free ones apart") {
    memory zone({.pages = 8});
    owner pinned(zone);
    scatter(zone, 4);
    pinned.is_movable = false;
    CHECK(!zone.alloc_block(2, gfp_kernel));
    CHECK(zone.alloc(4, gfp_kernel));
    CHECK(pinned.asked == 1);
    CHECK(!pinned.reclaims_within);
    zone.free(4);
    pinned.is_movable = true;
    CHECK(zone.alloc_block(2, gfp_kernel));
}

}  // namespace free_blocks_test
