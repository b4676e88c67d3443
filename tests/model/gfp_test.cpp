#include "wedge/model/gfp.hpp"

#include <doctest/doctest.h>

using namespace wedge;

static_assert(has(gfp_kernel, gfp::fs) && has(gfp_kernel, gfp::io));
static_assert(!has(gfp_nofs, gfp::fs) && has(gfp_nofs, gfp::io));
static_assert(!has(gfp_noio, gfp::fs) && !has(gfp_noio, gfp::io));
static_assert(has(gfp_noio, gfp::direct_reclaim) && has(gfp_noio, gfp::kswapd_reclaim));
static_assert(!has(gfp_nowait, gfp::direct_reclaim) && has(gfp_nowait, gfp::kswapd_reclaim));
static_assert(!has(gfp_atomic, gfp::direct_reclaim) && has(gfp_atomic, gfp::high));

TEST_CASE("gfp: a scope removes flags, and never adds any") {
    CHECK(effective(gfp_kernel, 0) == gfp_kernel);
    CHECK(effective(gfp_kernel, scope::nofs) == gfp_nofs);
    CHECK(effective(gfp_kernel, scope::noio) == gfp_noio);
    CHECK(effective(gfp_kernel, scope::nofs | scope::noio) == gfp_noio);
    CHECK(effective(gfp_nowait, scope::nofs) == gfp_nowait);
    CHECK(effective(gfp_noio, scope::nofs) == gfp_noio);
}

TEST_CASE("gfp: a reclaimer's own allocations never reclaim") {
    CHECK(!has(effective(gfp_kernel, scope::noreclaim), gfp::direct_reclaim));
    CHECK(has(effective(gfp_kernel, scope::noreclaim), gfp::kswapd_reclaim));
}

TEST_CASE("gfp: modifiers survive the scopes") {
    const gfp asked = gfp_kernel | gfp::nofail | gfp::nolockdep;
    CHECK(effective(asked, scope::nofs) == (gfp_nofs | gfp::nofail | gfp::nolockdep));
}
