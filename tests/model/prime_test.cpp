#include "wedge/model/prime.hpp"

#include <array>

#include <doctest/doctest.h>

#include "wedge/lock/guard.hpp"
#include "wedge/lock/mutex.hpp"

#include "support/watched.hpp"

using namespace wedge;

namespace {
constexpr std::array<primed_lock, 3> order{{{"stated a"}, {"stated b"}, {"stated c"}}};
}

TEST_CASE("prime: every lock of the order comes after all locks before it") {
    const watched all;
    prime(order);
    CHECK(all.has_edge("stated a", "stated b"));
    CHECK(all.has_edge("stated b", "stated c"));
    CHECK(all.has_edge("stated a", "stated c"));
    CHECK(!all.has_edge("stated c", "stated a"));
}

TEST_CASE("prime: one path against it is found, and the finding says where the order was stated") {
    const watched all;
    const unsigned here = __LINE__ + 1;
    prime(order);
    mutex a("stated a");
    mutex c("stated c");
    {
        const guard inner(c);
        const guard outer(a);
    }
    REQUIRE(!all.findings().empty());
    const finding& found = all.findings()[0];
    CHECK(found.kind == finding_kind::circular);
    bool is_stated_here = false;
    for (const dependency& edge : found.cycle)
        is_stated_here = is_stated_here || (edge.primed && edge.wanted.where.line == here);
    CHECK(is_stated_here);
}

TEST_CASE("prime: stating the real order finds nothing") {
    const watched all;
    prime(order);
    mutex a("stated a");
    mutex c("stated c");
    const guard outer(a);
    const guard inner(c);
    CHECK(all.findings().empty());
}
