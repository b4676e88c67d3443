#include "wedge/model/shrinker.hpp"

#include <vector>

#include <doctest/doctest.h>

#include "wedge/explore.hpp"
#include "wedge/model/memory.hpp"

#include "support/watched.hpp"

using namespace wedge;

namespace {

class cache final : public counted_shrinker {
public:
    cache(std::uint64_t n, options how) : counted_shrinker(how), objects(n) {}
    std::uint64_t count() override { return objects == 0 ? empty : objects; }
    std::uint64_t scan_batch(std::uint64_t wanted) override {
        if (is_stuck) return stop;
        batches.push_back(wanted);
        const std::uint64_t freed = std::min(wanted, objects);
        objects -= freed;
        return freed;
    }
    std::uint64_t objects;
    bool is_stuck = false;
    std::vector<std::uint64_t> batches;
};

using sizes = std::vector<std::uint64_t>;

/// Removes a shrinker while another task reclaims, with a lock that the scan waits for or without.
template <bool under_scans_lock>
struct unregistering {
    memory zone;
    shrinker_list all;
    mutex driver{"driver"};
    class driver_cache final : public shrinker {
    public:
        explicit driver_cache(unregistering& of) : of_(of) {}
        void scan() override {
            const guard held(of_.driver);
            if (of_.is_gone) throw std::logic_error("scanned after unregister");
        }

    private:
        unregistering& of_;
    } cache{*this};
    bool is_gone = false;  // guarded by driver

    unregistering() {
        zone.add(all);
        all.add(cache);
    }
    void reclaim() { zone.reclaim(); }
    void unload() {
        if (under_scans_lock) {
            const guard held(driver);
            all.remove(cache);
            is_gone = true;
        } else {
            all.remove(cache);
            const guard held(driver);
            is_gone = true;
        }
    }
    static constexpr auto actions = wedge::actions(action<&unregistering::reclaim>{"reclaim"},
                                                   action<&unregistering::unload>{"unload"});
};

}  // namespace

TEST_CASE("shrinker: the target depends on count, seeks, priority and deferred objects") {
    // 4 * 100 / seeks, at most twice 100
    static_assert(shrink_target(100, 0, 2, 0) == 200);
    static_assert(shrink_target(100, 0, 4, 0) == 100);
    static_assert(shrink_target(100, 0, 0, 0) == 50);
    static_assert(shrink_target(4096, 0, 2, 12) == 2);
    static_assert(shrink_target(100, 1000, 4, 2) == 200);
    static_assert(shrink_target(100, 40, 4, 2) == 35);
}

TEST_CASE("shrinker: it scans in batches, and scans the rest if all objects are asked for") {
    cache two_batches(6, {.seeks = 4, .batch = 3});
    two_batches.scan();
    CHECK(two_batches.batches == sizes{3, 3});
    cache small(2, {.seeks = 4, .batch = 3});
    small.scan();
    CHECK(small.batches == sizes{2});
    CHECK(small.objects == 0);
    small.scan();
    CHECK(small.batches.size() == 1);
}

TEST_CASE("shrinker: fewer objects than a batch are deferred until there are enough") {
    cache lazy(8, {.seeks = 4, .batch = 4, .priority = 2});
    lazy.scan();
    CHECK(lazy.batches.empty());
    CHECK(lazy.deferred() == 2);
    for (int i = 0; i < 5; ++i) lazy.scan();
    CHECK(!lazy.batches.empty());
}

TEST_CASE("shrinker: a scan that cannot go on stops, and its work is deferred") {
    cache stuck(8, {.seeks = 4, .batch = 4});
    stuck.is_stuck = true;
    stuck.scan();
    CHECK(stuck.batches.empty());
    CHECK(stuck.deferred() == 8);
    stuck.is_stuck = false;
    stuck.scan();
    CHECK(stuck.objects == 0);
}

TEST_CASE("shrinker: deferred work is bounded by twice the count") {
    cache stuck(8, {.seeks = 1, .batch = 4});
    stuck.is_stuck = true;
    for (int i = 0; i < 10; ++i) stuck.scan();
    CHECK(stuck.deferred() == 16);
}

TEST_CASE("shrinker_list: reclaim only tries the lock") {
    const watched seen;
    shrinker_list all;
    cache one(4, {.seeks = 4, .batch = 4});
    memory zone;
    zone.add(all);
    all.add(one);
    all.synchronise();
    zone.reclaim();
    CHECK(one.objects == 0);
    all.remove(one);
    CHECK(!seen.has_edge("reclaim", "shrinker_rwsem"));
    CHECK(seen.findings().empty());
}

TEST_CASE("shrinker_list: each shrinker is asked about the reclaimer's flags") {
    class fs_cache final : public shrinker {
    public:
        bool may_run(gfp effective) const override { return has(effective, gfp::fs); }
        void scan() override { ++scans; }
        int scans = 0;
    } inodes;
    memory zone;
    shrinker_list all;
    zone.add(all);
    all.add(inodes);
    zone.reclaim(gfp_nofs);
    CHECK(inodes.scans == 0);
    zone.reclaim();
    CHECK(inodes.scans == 1);
}

TEST_CASE("shrinker_list: an unregistered shrinker is not scanned any more") {
    const outcome done = explore<unregistering<false>>(default_program<unregistering<false>>());
    CHECK(done.what == result::sound);
}

TEST_CASE("shrinker_list: unregistering under a lock of the scan deadlocks") {
    using broken = unregistering<true>;
    CHECK(explore<broken>(default_program<broken>()).what == result::deadlock);
}
