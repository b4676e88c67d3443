#include "wedge/lock/semaphore.hpp"

#include <atomic>
#include <chrono>

#include <doctest/doctest.h>

#include "lock/both.hpp"

using std::chrono::milliseconds;
using wedge::result;

TEST_CASE("semaphore: natively it counts units") {
    wedge::semaphore units(2, "units");
    units.down();
    CHECK(units.try_down());
    CHECK(!units.try_down());
    CHECK(!units.down_for(milliseconds(1)));
    both::natively({[&] { units.down(); }, [&] { units.up(); }});
    CHECK(wedge::current().held.empty());
}

TEST_CASE("semaphore: as many tasks enter as there are units, and no more") {
    wedge::semaphore units(2, "units");
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    const auto visit = [&] {
        units.down();
        most = std::max(most.load(), ++inside);
        wedge::progress();
        units.up();
        --inside;
    };
    CHECK(both::controlled({visit, visit, visit}).what == result::sound);
    CHECK(most == 2);
}

TEST_CASE("semaphore: waiting for a unit that never comes is a deadlock, a timed wait is not") {
    wedge::semaphore units(0, "units");
    const wedge::outcome stuck = both::controlled({[&] { units.down(); }});
    REQUIRE(stuck.what == result::deadlock);
    CHECK(stuck.findings[0].tasks[0].waits_for == "semaphore units");
    unsigned gave_up = 0;
    unsigned got_it = 0;
    const wedge::outcome timed = both::controlled(
        {[&] { ++(units.down_for(milliseconds(1)) ? got_it : gave_up); }, [&] { units.up(); }});
    CHECK(timed.what == result::sound);
    CHECK(gave_up > 0);
    CHECK(got_it > 0);
}
