#include "wedge/model/mapping.hpp"

#include <string>

#include <doctest/doctest.h>

#include "support/explored.hpp"
#include "support/watched.hpp"

namespace mapping_test {
using namespace wedge;
using design::alloc_at;
using design::how;

namespace {

/// A walk in reclaim beside a change of the tree.
template <how walk, alloc_at when>
struct walked {
    memory zone{zone_limits{.pages = 2, .min = 0, .low = 1, .high = 2}};
    mapping file;
    page_aging aging{file, walk};
    walked() { zone.add(aging); }
    void hog() {
        if (zone.alloc(2, gfp_nowait)) zone.free(2);
    }
    void change() { file.change_tables(zone, when); }
    static constexpr auto actions =
        wedge::actions(action<&walked::hog>{"hog"}, action<&walked::change>{"change"});
};

}  // namespace

TEST_CASE("mapping: a walk that tries gives up while the tree is changed") {
    memory zone;
    mapping file;
    CHECK(file.rmap_walk(how::try_));
    CHECK(file.rmap_walk(how::block));
    file.change_tables(zone, alloc_at::before_imap);
    file.unmap_range();
    file.unmap_range(mode::shared);
    CHECK(file.rmap_walk(how::try_));
    CHECK(current().held.empty());
}

TEST_CASE("mapping: allocating under the tree's lock orders it before reclaim") {
    for (const alloc_at when : {alloc_at::before_imap, alloc_at::under_imap}) {
        const watched all;
        memory zone;
        mapping file;
        page_aging aging(file, how::block);
        zone.add(aging);
        zone.reclaim();
        file.change_tables(zone, when);
        CHECK(all.has_edge("reclaim", "i_mmap_rwsem"));
        CHECK(all.findings().size() == (when == alloc_at::under_imap ? 1 : 0));
    }
}

TEST_CASE("mapping: a walk by the holder of the tree's lock never ends") {
    CHECK(explored<walked<how::block, alloc_at::under_imap>>().what == result::deadlock);
    CHECK(explored<walked<how::block, alloc_at::before_imap>>().what == result::sound);
    CHECK(explored<walked<how::try_, alloc_at::under_imap>>().what == result::sound);
}

TEST_CASE("mapping: memory for each area is taken without waiting, or before the lock") {
    const watched all;
    memory zone({.pages = 8, .min = 0, .low = 0, .high = 0});
    mapping file;
    page_aging aging(file, how::block);
    zone.add(aging);
    CHECK(file.build_map_info(8, zone));
    CHECK(zone.free_pages() == 8);
    REQUIRE(zone.alloc(7, gfp_nowait));
    CHECK(!file.build_map_info(2, zone));
    CHECK(zone.free_pages() == 1);
    zone.free(7);
    CHECK(!all.has_edge("i_mmap_rwsem", "reclaim"));
    CHECK(all.findings().empty());
}

TEST_CASE("mapping: a tree that reclaim does not walk has its own class, and may allocate") {
    for (const char* const tree : {"hugetlb_i_mmap_rwsem", "i_mmap_rwsem"}) {
        const watched all;
        memory zone;
        mapping file;
        mapping huge(tree);
        page_aging aging(file, how::block);
        zone.add(aging);
        zone.reclaim();
        CHECK(huge.share_tables(zone));
        CHECK(all.findings().empty() == (std::string(tree) != "i_mmap_rwsem"));
    }
}

}  // namespace mapping_test
