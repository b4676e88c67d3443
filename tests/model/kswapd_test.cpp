#include "wedge/model/kswapd.hpp"

#include <thread>

#include <doctest/doctest.h>

#include "wedge/model/memory.hpp"

#include "support/explored.hpp"

namespace kswapd_test {
using namespace wedge;

namespace {

/// A driver that allocates under its lock, in a zone so empty that it waits for kswapd there; and
/// the driver's shrinker, which kswapd runs.
template <design::how shrinker_lock, bool may_enter_fs>
struct throttled {
    memory zone{
        zone_limits{.pages = 8, .min = 2, .low = 4, .high = 5, .kswapd_tries = 1, .throttle = 3}};
    mutex driver{"driver"};
    struct cache final : shrinker {
        explicit cache(throttled& of) : of_(of) {}
        void scan() override {
            if (current().held.find(of_.driver.identity().instance()) != nullptr) return;
            static_cast<void>(detail::locked(of_.driver, shrinker_lock, site::current(),
                                             [this] { of_.zone.free(4); }));
        }
        throttled& of_;
    } pages{*this};

    throttled() {
        zone.add(pages);
        static_cast<void>(zone.alloc(6, gfp_nowait));
    }
    void kswapd() {
        while (zone.wait_for_kswapd_wake()) zone.balance();
    }
    void ioctl() {
        {
            const guard held(driver);
            if (zone.alloc(2, may_enter_fs ? gfp_kernel : gfp_nofs)) zone.free(2);
        }
        zone.stop_kswapd();
    }
    static constexpr auto actions =
        wedge::actions(action<&throttled::kswapd>{"kswapd"}, action<&throttled::ioctl>{"ioctl"});
};

}  // namespace

TEST_CASE("kswapd: waiting for it under a lock that it waits for wedges") {
    using design::how;
    CHECK(explored<throttled<how::block, true>>().what == result::deadlock);
    CHECK(explored<throttled<how::try_, true>>().what == result::sound);
}

TEST_CASE("kswapd: a task that must stay out of the file system waits at most a second") {
    CHECK(explored<throttled<design::how::block, false>>().what == result::sound);
}

TEST_CASE("kswapd: a fruitless kswapd releases its waiters, and so does its end") {
    memory zone({.pages = 8, .min = 2, .low = 4, .high = 5, .kswapd_tries = 1, .throttle = 3});
    REQUIRE(zone.alloc(6, gfp_nowait));
    std::thread kswapd([&] {
        while (zone.wait_for_kswapd_wake()) zone.balance();
    });
    CHECK(!zone.alloc(1, gfp_kernel));  // throttled if kswapd exists by now
    while (!zone.is_hopeless()) std::this_thread::yield();
    CHECK(!zone.alloc(1, gfp_kernel));
    zone.stop_kswapd();
    kswapd.join();
}

TEST_CASE("kswapd: with enough pages no task waits for it") {
    kswapd_waits waits(0);
    CHECK(waits.wait_for_wake([] { return true; }, site::current()));
    waits.throttle([] { return true; }, true, site::current());
    waits.has_failed();
    CHECK(!waits.is_hopeless());
}

TEST_CASE("kswapd: it gives up after a number of fruitless runs, until one succeeds") {
    kswapd_waits waits(16);  // Linux: MAX_RECLAIM_RETRIES
    for (int i = 0; i < 15; ++i) waits.has_failed();
    CHECK(!waits.is_hopeless());
    waits.has_failed();
    CHECK(waits.is_hopeless());
    waits.has_succeeded();
    CHECK(!waits.is_hopeless());
}

}  // namespace kswapd_test
