#include "wedge/model/reservation.hpp"

#include <doctest/doctest.h>

#include "wedge/lock/guard.hpp"

#include "support/watched.hpp"

using namespace wedge;

TEST_CASE("reservation: two of them are one class, so waiting for a second is found") {
    const watched all;
    reservation a;
    reservation b;
    {
        const guard first(a);
        const guard second(b);
    }
    REQUIRE(all.findings().size() == 1);
    CHECK(all.findings()[0].kind == finding_kind::recursive);
}

TEST_CASE("reservation: trying a second is sound") {
    const watched all;
    reservation a;
    reservation b;
    {
        const guard first(a);
        const try_guard second(b);
        CHECK(static_cast<bool>(second));
    }
    CHECK(all.findings().empty());
}
