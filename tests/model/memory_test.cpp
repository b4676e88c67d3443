#include "wedge/model/memory.hpp"

#include <set>
#include <stdexcept>
#include <thread>
#include <utility>

#include <doctest/doctest.h>

#include "wedge/explore.hpp"

namespace memory_test {
using namespace wedge;

namespace {

/// Frees a number of pages in each of its next scans.
class plain_shrinker final : public shrinker {
public:
    plain_shrinker(memory& zone, std::vector<std::uint32_t> batches)
        : zone_(zone), batches_(std::move(batches)) {
        zone.add(*this);
    }
    void scan() override {
        if (scans < batches_.size()) zone_.free(batches_[scans]);
        ++scans;
    }
    std::size_t scans = 0;

private:
    memory& zone_;
    const std::vector<std::uint32_t> batches_;
};

constexpr zone_limits sixteen{.pages = 16, .min = 2, .low = 4, .high = 8};

/// Two tasks that take pages, and one that gives pages back.
struct contention {
    memory zone{zone_limits{.pages = 6, .min = 1, .low = 2, .high = 3}};
    bool got[2] = {};

    void take(std::uint32_t which) { got[which] = zone.alloc(3, gfp_nowait); }
    void give() {
        if (zone.alloc(2, gfp_nowait)) zone.free(2);
    }
    void check() const {
        outcomes.insert((got[0] ? 1U : 0U) + (got[1] ? 2U : 0U) + 4 * zone.free_pages());
    }
    static constexpr auto actions =
        wedge::actions(action<&contention::take>{"take"}, action<&contention::give>{"give"});
    static inline std::set<std::uint32_t> outcomes;
};

std::set<std::uint32_t> outcomes_under(strategy how) {
    contention::outcomes.clear();
    const outcome done = explore<contention>(parse_program("take | take(1) | give"),
                                             {.how = how, .executions_max = 2000});
    CHECK(done.findings.empty());
    CHECK(done.exhausted == (how == strategy::exhaustive));
    return contention::outcomes;
}

/// kswapd as a daemon beside a task that allocates.
struct attended {
    memory zone{zone_limits{.pages = 8, .min = 0, .low = 3, .high = 5}};
    plain_shrinker cache{zone, {2, 2, 2}};
    bool took = false;

    void kswapd() {
        while (zone.wait_for_kswapd_wake()) zone.balance();
    }
    void hog() {
        took = zone.alloc(6, gfp_nowait);
        zone.stop_kswapd();
    }
    void check() const {
        if (!took) throw std::logic_error("no pages");
    }
    static constexpr auto actions =
        wedge::actions(action<&attended::kswapd>{"kswapd"}, action<&attended::hog>{"hog"});
};

/// As `attended`, but no task stops the daemon: it sleeps when the other task has ended.
struct unattended {
    memory zone{zone_limits{.pages = 8, .min = 0, .low = 3, .high = 5}};
    plain_shrinker cache{zone, {2, 2, 2}};

    void kswapd() {
        while (zone.wait_for_kswapd_wake()) {
            zone.balance();
            balanced.insert(zone.free_pages());
        }
    }
    void hog() { static_cast<void>(zone.alloc(6, gfp_nowait)); }
    static constexpr auto actions =
        wedge::actions(action<&unattended::kswapd>{"kswapd"}, action<&unattended::hog>{"hog"});
    static inline std::set<std::uint32_t> balanced;
};

struct pressed {
    memory zone;
    plain_shrinker cache{zone, {}};
    bool got = true;
    pressed() { zone.set({.fail_allocations = true, .force_reclaim = true}); }
    void take() { got = zone.alloc(1, gfp_kernel); }
    void must() { got = zone.alloc(1, gfp_kernel | gfp::nofail); }
    void check() const { outcomes.insert((got ? 1U : 0U) + 2 * (cache.scans != 0 ? 1U : 0U)); }
    static constexpr auto actions =
        wedge::actions(action<&pressed::take>{"take"}, action<&pressed::must>{"must"});
    static inline std::set<std::uint32_t> outcomes;
};

/// A process with pages, whose address space may be busy.
class process final : public oom_victim {
public:
    process(memory& zone, std::uint32_t pages) : zone_(zone), pages_(pages) { zone.add(*this); }
    bool reap() override {
        ++reaps;
        const try_guard mm(lock);
        if (!mm || pages_ == 0) return false;
        may_reclaim_within = zone_.alloc(1, gfp_kernel);  // it must not kill again
        zone_.free(std::exchange(pages_, 0));
        return true;
    }
    mutex lock{"victim"};
    int reaps = 0;
    bool may_reclaim_within = false;

private:
    memory& zone_;
    std::uint32_t pages_;
};

}  // namespace

TEST_CASE("memory: without limits it never runs out") {
    memory zone;
    CHECK(zone.alloc(~0U, gfp_nowait));
    zone.free(7);
    CHECK(!zone.below_low());
    CHECK(!zone.kswapd_pass());
}

TEST_CASE("memory: an allocation leaves the minimum free") {
    memory zone(sixteen);
    CHECK(zone.alloc(14, gfp_nowait));
    CHECK(zone.free_pages() == 2);
    CHECK(!zone.alloc(1, gfp_atomic));
    CHECK(zone.free_pages() == 2);
    zone.free(1);
    CHECK(zone.alloc(1, gfp_nowait));
    CHECK(!zone.alloc(~0U, gfp_nowait));
}

TEST_CASE("memory: low and high are crossed below the mark, not at it") {
    memory zone(sixteen);
    CHECK(zone.alloc(8, gfp_kernel));
    CHECK(!zone.below_high());
    CHECK(zone.alloc(4, gfp_kernel));
    CHECK(zone.below_high());
    CHECK(!zone.below_low());
    CHECK(zone.alloc(1, gfp_kernel));
    CHECK(zone.below_low());
}

TEST_CASE("memory: there are never more free pages than pages") {
    memory zone(sixteen);
    zone.free(5);
    CHECK(zone.free_pages() == 16);
    CHECK(zone.alloc(3, gfp_kernel));
    zone.free(~0U);
    CHECK(zone.free_pages() == 16);
}

TEST_CASE("memory: reclaim goes on only while passes free pages") {
    memory zone(sixteen);
    plain_shrinker cache(zone, {1, 1, 1, 1});
    REQUIRE(zone.alloc(14, gfp_nowait));
    CHECK(zone.alloc(3, gfp_kernel));
    CHECK(cache.scans == 3);
    CHECK(!zone.alloc(2, gfp_kernel));
    CHECK(cache.scans == 5);
    CHECK(zone.free_pages() == 3);
}

TEST_CASE("memory: an allocation that may not sleep does not reclaim") {
    memory zone(sixteen);
    plain_shrinker cache(zone, {8});
    REQUIRE(zone.alloc(14, gfp_nowait));
    CHECK(!zone.alloc(1, gfp_nowait));
    CHECK(!zone.alloc(1, gfp_atomic));
    CHECK(cache.scans == 0);
}

TEST_CASE("memory: a pass of reclaim, and of kswapd, returns what it freed") {
    memory zone(sixteen);
    plain_shrinker cache(zone, {3, 3, 0});
    REQUIRE(zone.alloc(14, gfp_nowait));
    zone.reclaim();
    CHECK(zone.free_pages() == 5);
    CHECK(zone.kswapd_pass());
    CHECK(!zone.kswapd_pass());
    CHECK(zone.free_pages() == 8);
}

TEST_CASE("memory: pages beyond the size of the zone are no progress") {
    memory zone(sixteen);
    plain_shrinker cache(zone, {3});
    CHECK(!zone.kswapd_pass());
}

TEST_CASE("memory: balancing ends at the high mark or without progress") {
    memory zone(sixteen);
    plain_shrinker cache(zone, {3, 3, 3, 0});
    REQUIRE(zone.alloc(14, gfp_nowait));
    zone.balance();
    CHECK(zone.free_pages() == 8);
    CHECK(cache.scans == 2);
    REQUIRE(zone.alloc(5, gfp_nowait));
    zone.balance();
    CHECK(cache.scans == 4);
    CHECK(zone.below_high());
}

TEST_CASE("memory: an allocation that must not fail waits for pages") {
    memory zone(sixteen);
    REQUIRE(zone.alloc(14, gfp_nowait));
    std::thread other([&] { zone.free(4); });
    CHECK(zone.alloc(2, gfp_kernel | gfp::nofail));
    other.join();
}

TEST_CASE("memory: the search knows which steps share the zone") {
    const std::set<std::uint32_t> all = outcomes_under(strategy::exhaustive);
    CHECK(all.size() == 2);  // either task gets the pages, never both
    CHECK(all == outcomes_under(strategy::random));
}

TEST_CASE("memory: kswapd is woken below the low mark, in every schedule") {
    const outcome done = explore<attended>(default_program<attended>());
    CHECK(done.what == result::sound);
    const outcome idle = explore<unattended>(default_program<unattended>());
    CHECK(idle.exhausted);
    CHECK(idle.what == result::sound);  // an idle daemon is no deadlock
    CHECK(unattended::balanced.size() == 1);
    CHECK(*unattended::balanced.begin() == 6);
}

TEST_CASE("memory: kswapd sleeps natively too") {
    memory zone(sixteen);
    plain_shrinker cache(zone, {6});
    std::thread kswapd([&] {
        while (zone.wait_for_kswapd_wake()) zone.balance();
    });
    REQUIRE(zone.alloc(14, gfp_nowait));
    while (zone.free_pages() < 8) std::this_thread::yield();
    zone.stop_kswapd();
    kswapd.join();
}

TEST_CASE("memory: natively threads lose no page") {
    memory zone(zone_limits{.pages = 8, .min = 1, .low = 2, .high = 3});
    const auto work = [&] {
        for (int i = 0; i < 1000; ++i)
            if (zone.alloc(3, gfp_kernel)) zone.free(3);
    };
    std::thread a(work);
    std::thread b(work);
    work();
    a.join();
    b.join();
    CHECK(zone.free_pages() == 8);
}

TEST_CASE("memory: an optional allocation makes one pass, and so does a costly one") {
    for (const bool is_block : {false, true}) {
        for (const gfp modifier : {gfp::none, gfp::noretry, gfp::retry_mayfail}) {
            memory zone({.pages = 64, .min = 0, .low = 1, .high = 2});
            plain_shrinker cache(zone, {4, 4, 4, 4, 4, 4, 4, 4});
            REQUIRE(zone.alloc(64, gfp_nowait));
            const bool got = is_block ? zone.alloc_block(4, gfp_kernel | modifier)
                                      : zone.alloc(16, gfp_kernel | modifier);
            const bool is_light = modifier == gfp::noretry || (is_block && modifier == gfp::none);
            CHECK(got == !is_light);
            CHECK(cache.scans == (is_light ? 1 : 4));
        }
    }
}

TEST_CASE("memory: urgent allocations and reclaimers may take the reserve") {
    memory zone({.pages = 16, .min = 4, .low = 5, .high = 8, .reserve = 2});
    REQUIRE(zone.alloc(12, gfp_nowait));
    CHECK(!zone.alloc(1, gfp_nowait));
    CHECK(zone.alloc(1, gfp_atomic));
    {
        const alloc_scope reclaims(scope::noreclaim);
        CHECK(zone.alloc(1, gfp_kernel));
    }
    CHECK(!zone.alloc(1, gfp_atomic));
}

TEST_CASE(
    "memory: kswapd gives up after a number of fruitless runs, until a reclaim frees something") {
    memory zone({.pages = 16, .min = 0, .low = 4, .high = 8, .kswapd_tries = 2});
    plain_shrinker cache(zone, {0, 0, 3});
    REQUIRE(zone.alloc(14, gfp_nowait));
    zone.balance();
    CHECK(!zone.is_hopeless());
    zone.balance();
    CHECK(zone.is_hopeless());
    zone.free(1);  // outside of reclaim it is no success of reclaim
    CHECK(zone.is_hopeless());
    zone.reclaim();
    CHECK(!zone.is_hopeless());
}

TEST_CASE(
    "memory: a process is killed when reclaim frees nothing, only for mandatory allocations") {
    for (const gfp flags : {gfp_kernel, gfp_kernel | gfp::noretry, gfp_kernel | gfp::retry_mayfail,
                            gfp_nofs, gfp_nowait}) {
        memory zone({.pages = 8, .min = 0, .low = 1, .high = 2});
        process victim(zone, 8);
        REQUIRE(zone.alloc(8, gfp_nowait));
        CHECK(zone.alloc(4, flags) == (flags == gfp_kernel));
        CHECK(victim.reaps == (flags == gfp_kernel ? 1 : 0));
        CHECK(!victim.may_reclaim_within);
    }
}

TEST_CASE("memory: a victim whose address space is busy is not waited for") {
    memory zone({.pages = 8, .min = 0, .low = 1, .high = 2});
    process victim(zone, 8);
    REQUIRE(zone.alloc(8, gfp_nowait));
    const guard busy(victim.lock);
    std::thread other([&] { CHECK(!zone.alloc(4, gfp_kernel)); });
    other.join();
    CHECK(victim.reaps == 1);
}

TEST_CASE("memory: pressure is a choice, and there is none when it is off") {
    const outcome done = explore<pressed>({{{"take", 0}}});
    CHECK(done.what == result::sound);
    CHECK(done.executions > 2);
    CHECK(pressed::outcomes.size() == 4);
    pressed::outcomes.clear();
    CHECK(explore<pressed>({{{"must", 0}}}).what == result::sound);
    CHECK(pressed::outcomes == std::set<std::uint32_t>{1, 3});  // it reclaims or not, and gets them
}

}  // namespace memory_test
