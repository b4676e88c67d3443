// Assertions about locks, each with the mistake that it finds.
#include "wedge/lock/assert.hpp"

#include <shared_mutex>
#include <vector>

#include <doctest/doctest.h>

#include "wedge/wedge.hpp"

#include "support/watched.hpp"

using wedge::finding_kind;

namespace {

std::vector<finding_kind> kinds_of(const watched& here) {
    std::vector<finding_kind> kinds;
    for (const wedge::finding& found : here.findings()) kinds.push_back(found.kind);
    return kinds;
}
using kinds = std::vector<finding_kind>;

}  // namespace

TEST_CASE("assert_held: a lock that is not held is found, by instance") {
    wedge::mutex lock("a");
    wedge::mutex other("a");
    {
        const watched here;
        const wedge::guard held(lock);
        wedge::assert_held(lock);
        wedge::assert_held_exclusively(lock);
        CHECK(here.findings().empty());
        wedge::assert_held(other);
        CHECK(kinds_of(here) == kinds{finding_kind::not_held});
    }
    // A second checker: the function breaks the rule again, with the same class.
    const watched here;
    wedge::assert_held(lock);
    CHECK(kinds_of(here) == kinds{finding_kind::not_held});
}

TEST_CASE("assert_held: readers hold it, but not exclusively") {
    wedge::shared_mutex lock("a");
    watched here;
    const wedge::shared_guard held(lock);
    wedge::assert_held(lock);
    CHECK(here.findings().empty());
    wedge::assert_held_exclusively(lock);
    CHECK(kinds_of(here) == kinds{finding_kind::not_held});
}

TEST_CASE("pin: a lock released while pinned is found, after the unpin it is not") {
    wedge::mutex lock("a");
    for (const bool unpins : {true, false}) {
        watched here;
        lock.lock();
        wedge::pin(lock);
        if (unpins) wedge::unpin(lock);
        lock.unlock();
        CHECK(kinds_of(here) == (unpins ? kinds{} : kinds{finding_kind::pin_broken}));
    }
}

TEST_CASE("pin: a pin needs a hold, and an unpin needs a pin") {
    wedge::mutex lock("a");
    watched here;
    wedge::pin(lock);
    CHECK(kinds_of(here) == kinds{finding_kind::not_held});
    const wedge::guard held(lock);
    wedge::unpin(lock);
    CHECK(kinds_of(here) == kinds{finding_kind::not_held, finding_kind::pin_broken});
}

TEST_CASE("initialise: a held lock is found, a free one is not") {
    wedge::mutex lock("a");
    watched here;
    wedge::initialise(lock);
    CHECK(here.findings().empty());
    const wedge::guard held(lock);
    wedge::initialise(lock);
    CHECK(kinds_of(here) == kinds{finding_kind::held_when_destroyed});
}

TEST_CASE("might_lock: the order is that of an acquire, and nothing is held afterwards") {
    wedge::mutex a("a");
    wedge::mutex b("b");
    watched here;
    {
        const wedge::guard held(a);
        wedge::might_lock(b);
        CHECK(wedge::current().held.size() == 1);
    }
    CHECK(here.has_edge("a", "b"));
    const wedge::guard held(b);
    wedge::might_lock(a);
    CHECK(kinds_of(here) == kinds{finding_kind::circular});
}

TEST_CASE("might_lock: a held lock would hang, unless it is recursive") {
    wedge::mutex lock("a");
    wedge::recursive_mutex again("r");
    watched here;
    {
        const wedge::guard held(again);
        wedge::might_lock(again);
    }
    CHECK(here.findings().empty());
    const wedge::guard held(lock);
    wedge::might_lock(lock);
    CHECK(kinds_of(here) == kinds{finding_kind::recursive});
}

TEST_CASE("might_lock_shared: a reader does not wait for readers of a lock that admits it") {
    wedge::checked<std::shared_mutex> lock(
        wedge::lock_class("read while it reads", {.reads_nest = true}));
    watched here;
    const wedge::shared_guard held(lock);
    wedge::might_lock_shared(lock);
    CHECK(here.findings().empty());
    wedge::might_lock(lock);
    CHECK(kinds_of(here) == kinds{finding_kind::recursive});
}

TEST_CASE("assert: assertions about locks of level 0 do nothing") {
    wedge::checked<std::mutex, wedge::level_constant<wedge::level::off>> lock;
    watched here;
    wedge::assert_held(lock);
    wedge::pin(lock);
    wedge::might_lock(lock);
    CHECK(here.findings().empty());
}
