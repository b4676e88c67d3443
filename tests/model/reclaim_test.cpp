#include "wedge/model/reclaim.hpp"

#include <doctest/doctest.h>

#include "wedge/lock/guard.hpp"
#include "wedge/lock/mutex.hpp"
#include "wedge/model/memory.hpp"
#include "wedge/model/reservation.hpp"

#include "support/watched.hpp"

using namespace wedge;

namespace {

/// Takes a reservation in reclaim, by waiting or by trying.
template <bool is_try>
class resv_shrinker final : public shrinker {
public:
    explicit resv_shrinker(reservation& resv) : resv_(resv) {}
    void scan() override {
        ++scans;
        if (!is_try) {
            const guard held(resv_);
        } else if (const try_guard held(resv_); held) {
            ++taken;
        }
    }
    int scans = 0;
    int taken = 0;

private:
    reservation& resv_;
};

/// Allocates in reclaim.
class greedy_shrinker final : public shrinker {
public:
    explicit greedy_shrinker(memory& zone) : zone_(zone) {}
    void scan() override {
        ++scans;
        got = zone_.alloc(4, gfp_kernel);
    }
    int scans = 0;
    bool got = true;

private:
    memory& zone_;
};

/// Runs only if the file system may be entered.
class fs_shrinker final : public shrinker {
public:
    bool may_run(gfp effective) const override { return has(effective, gfp::fs); }
    void scan() override { ++scans; }
    int scans = 0;
};

/// Returns the findings after an allocation under a reservation, and a reclaimer elsewhere.
template <bool is_try>
std::vector<finding> with_reservation(gfp allocation, std::uint8_t allocation_scope,
                                      gfp reclaimer) {
    const watched all;
    memory zone;
    ww_class of("dma_resv");
    reservation resv(of);
    resv_shrinker<is_try> bo(resv);
    zone.add(bo);
    {
        const guard held(resv);
        const alloc_scope under_scope(allocation_scope);
        zone.might_alloc(allocation);
    }
    zone.reclaim(reclaimer);
    CHECK(bo.scans == (has(reclaimer, gfp::direct_reclaim) ? 1 : 0));
    return all.findings();
}

}  // namespace

TEST_CASE("reclaim: a blocking shrinker closes reservation -> reclaim -> reservation") {
    const std::vector<finding> found = with_reservation<false>(gfp_kernel, 0, gfp_kernel);
    REQUIRE(found.size() == 1);
    CHECK(found[0].kind == finding_kind::circular);
    CHECK(found[0].what == "reclaim -> dma_resv here, dma_resv -> reclaim before");
}

TEST_CASE("reclaim: a shrinker that only tries closes nothing") {
    CHECK(with_reservation<true>(gfp_kernel, 0, gfp_kernel).empty());
}

TEST_CASE("reclaim: each effective mask has a pseudo-lock of its own") {
    CHECK(with_reservation<false>(gfp_nofs, 0, gfp_kernel).empty());
    CHECK(with_reservation<false>(gfp_noio, 0, gfp_nofs).empty());
    CHECK(with_reservation<false>(gfp_kernel, 0, gfp_nofs).empty());
    CHECK(with_reservation<false>(gfp_nofs, 0, gfp_nofs).size() == 1);
    CHECK(with_reservation<false>(gfp_noio, 0, gfp_noio).size() == 1);
}

TEST_CASE("reclaim: the scopes of the task decide about the mask") {
    CHECK(with_reservation<false>(gfp_kernel, scope::nofs, gfp_kernel).empty());
    CHECK(with_reservation<false>(gfp_kernel, scope::nofs, gfp_nofs).size() == 1);
    CHECK(with_reservation<false>(gfp_kernel, scope::noio, gfp_noio).size() == 1);
    CHECK(with_reservation<false>(gfp_kernel, scope::noreclaim, gfp_kernel).empty());
}

TEST_CASE("reclaim: an allocation that cannot reclaim directly or opted out touches nothing") {
    for (const gfp flags : {gfp_nowait, gfp_atomic, gfp_kernel | gfp::nolockdep}) {
        const watched all;
        memory zone;
        mutex lock("outer");
        const guard held(lock);
        CHECK(zone.alloc(1, flags));
        zone.might_alloc(flags);
        CHECK(!all.has_edge("outer", "reclaim"));
        CHECK(!all.has_edge("outer", "mmu_notifier"));
    }
}

TEST_CASE("reclaim: every allocation that may reclaim touches the notifiers, with FS or without") {
    const watched all;
    memory zone;
    mutex lock("outer of notifier");
    const guard held(lock);
    zone.might_alloc(gfp_noio);
    CHECK(all.has_edge("outer of notifier", "mmu_notifier"));
    CHECK(all.has_edge("outer of notifier", "reclaim noio"));
    CHECK(!all.has_edge("outer of notifier", "reclaim"));
}

TEST_CASE("reclaim: kswapd holds it around a pass, and calls no notifier") {
    const watched all;
    memory zone({.pages = 4});
    ww_class of("dma_resv");
    reservation resv(of);
    resv_shrinker<false> bo(resv);
    zone.add(bo);
    CHECK(!zone.kswapd_pass());
    CHECK(all.has_edge("reclaim", "dma_resv"));
    CHECK(!all.has_edge("reclaim", "mmu_notifier"));
    CHECK(current().held.empty());
    CHECK(current().scopes == 0);
}

TEST_CASE("reclaim: a task in reclaim does not reclaim again") {
    const watched all;
    memory zone({.pages = 2});
    greedy_shrinker bo(zone);
    zone.add(bo);
    CHECK(!zone.alloc(4, gfp_kernel));
    CHECK(bo.scans == 1);
    CHECK(!bo.got);
    zone.kswapd_pass();
    CHECK(bo.scans == 2);
    CHECK(all.findings().empty());
}

TEST_CASE("reclaim: a shrinker that must not run for the flags is skipped") {
    memory zone;
    fs_shrinker inodes;
    zone.add(inodes);
    zone.reclaim(gfp_nofs);
    CHECK(inodes.scans == 0);
    {
        const alloc_scope nofs(scope::nofs);
        zone.reclaim();
    }
    CHECK(inodes.scans == 0);
    zone.reclaim();
    zone.kswapd_pass();
    CHECK(inodes.scans == 2);
}

TEST_CASE("reclaim: an allocation that opted out reclaims without being checked") {
    const watched all;
    memory zone({.pages = 1});
    ww_class of("dma_resv");
    reservation resv(of);
    resv_shrinker<false> bo(resv);
    zone.add(bo);
    CHECK(!zone.alloc(2, gfp_kernel | gfp::nolockdep));
    CHECK(bo.scans == 1);
    CHECK(!all.has_edge("reclaim", "dma_resv"));
}

TEST_CASE("reclaim: a program without a zone may state that it allocates") {
    const watched all;
    mutex dirty{"dirty"};
    {
        const guard held(dirty);
        might_alloc(gfp_nofs);
        CHECK(!all.has_edge("dirty", "reclaim"));
        might_alloc(gfp_kernel);
    }
    CHECK(all.has_edge("dirty", "reclaim"));
    memory zone;
    CHECK(all.findings().empty());
    const reclaim_order::section inside(zone.order(), gfp_kernel, site::current());
    const guard held(dirty);
    CHECK(all.findings().size() == 1);
}
