#include "wedge/model/pressure.hpp"

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "wedge/lock/mutex.hpp"
#include "wedge/model/memory.hpp"

#include "support/explored.hpp"

// The bounds of the section, which GNU's linker defines.
extern "C" const char __start_meant_code[];
extern "C" const char __stop_meant_code[];

namespace pressure_test {
using namespace wedge;

namespace {

/// Returns the calls, from 1, at which a point struck.
std::vector<int> strikes_of(fault_rate how, int calls) {
    fault_point point;
    point.set(how);
    std::vector<int> struck;
    for (int i = 1; i <= calls; ++i)
        if (point.strikes("a test")) struck.push_back(i);
    return struck;
}

/// Returns whether a point that selects this code strikes in a call from `meant_call`.
[[gnu::section("meant_code"), gnu::noinline]] bool meant_call(fault_point& point) {
    const bool strikes = point.strikes("a test");
    asm volatile("");  // no tail call, so that the call leaves a trace
    return strikes;
}

/// One allocation that may fail at a rate.
struct failing {
    memory zone;
    failing() { zone.set({.failing = {.percent = 1, .times = 1}}); }
    void take() {
        const bool first = zone.alloc(1, gfp_kernel);
        const bool second = zone.alloc(1, gfp_kernel);
        seen |= 1U << ((first ? 1U : 0U) + (second ? 2U : 0U));
    }
    static constexpr auto actions = wedge::actions(action<&failing::take>{"take"});
    static inline unsigned seen = 0;
};

}  // namespace

TEST_CASE("pressure: it never strikes when it is off") {
    CHECK(strikes_of({}, 100).empty());
}

TEST_CASE("pressure: probability, interval, times and the n-th call are as in fault injection") {
    CHECK(strikes_of({.percent = 100}, 3) == std::vector{1, 2, 3});
    CHECK(strikes_of({.percent = 100, .interval = 3}, 7) == std::vector{3, 6});
    CHECK(strikes_of({.percent = 100, .times = 2}, 7) == std::vector{1, 2});
    CHECK(strikes_of({.nth = 5}, 9) == std::vector{5});
    const std::size_t half = strikes_of({.percent = 50}, 1000).size();
    CHECK(half > 400);
    CHECK(half < 600);
}

TEST_CASE("pressure: under control every allowed strike is explored") {
    const outcome done = explored<failing>();
    CHECK(done.what == result::sound);
    CHECK(failing::seen == 0b1110);  // either fails, never both
}

TEST_CASE("pressure: raised watermarks make an allocation reclaim that would fit") {
    memory zone({.pages = 8, .min = 0, .low = 4, .high = 6});
    CHECK(zone.alloc(6, gfp_nowait));
    zone.set({.rising = {.percent = 100, .times = 1}});
    CHECK(!zone.alloc(1, gfp_nowait));
    CHECK(zone.alloc(1, gfp_nowait));
}

TEST_CASE("pressure: it may select the holders of one lock, or one file") {
    mutex meant("meant");
    mutex other("other");
    fault_point held;
    held.set({.percent = 100, .holding = "meant"});
    const guard outer(other);
    CHECK(!held.strikes("a test"));
    {
        const guard inner(meant);
        CHECK(held.strikes("a test"));
    }
    fault_point called;
    called.set({.nth = 1, .called_in = "pressure_test"});
    CHECK(!called.strikes("a test", {"elsewhere.cpp", "f", 1}));  // does not count either
    CHECK(called.strikes("a test"));
}

TEST_CASE("pressure: it may select one function, or one task") {
    fault_point called;
    called.set({.percent = 100, .called_in = "shrink"});
    CHECK(!called.strikes("a test", {"a.cpp", "shrink_all", 1}));
    CHECK(called.strikes("a test", {"a.cpp", "shrink", 1}));
    fault_point named;
    named.set({.percent = 100, .by = "kswapd"});
    std::string& name = current().name;
    const std::string before = std::exchange(name, "fault, hog");
    CHECK(!named.strikes("a test"));
    name = "fault, kswapd(1)";
    CHECK(named.strikes("a test"));
    name = before;
}

TEST_CASE("pressure: it may select calls by a caller on the stack") {
    fault_point within;
    within.set({.percent = 100, .within = {__start_meant_code, __stop_meant_code}});
    CHECK(meant_call(within));
    CHECK(!within.strikes("a test"));
    fault_point without;
    without.set({.percent = 100, .without = {__start_meant_code, __stop_meant_code}});
    CHECK(!meant_call(without));
    CHECK(without.strikes("a test"));
}

TEST_CASE("pressure: a process is killed although there is memory") {
    class process final : public oom_victim {
    public:
        bool reap() override { return ++reaps != 0; }
        int reaps = 0;
    } victim;
    memory zone({.pages = 8, .min = 0, .low = 1, .high = 2});
    zone.add(victim);
    zone.set({.killing = {.percent = 100, .times = 1}});
    CHECK(zone.alloc(1, gfp_nowait));  // may kill nobody
    CHECK(victim.reaps == 0);
    CHECK(zone.alloc(1, gfp_kernel));
    CHECK(zone.alloc(1, gfp_kernel));
    CHECK(victim.reaps == 1);
}

TEST_CASE("pressure: a hog comes and leaves") {
    memory zone({.pages = 8});
    zone.set({.hogging = {.percent = 100}, .hog_pages = 6});
    CHECK(!zone.alloc(4, gfp_nowait));
    CHECK(zone.hogged_pages() == 6);
    CHECK(zone.alloc(4, gfp_nowait));
    CHECK(zone.hogged_pages() == 0);
    CHECK(zone.free_pages() == 4);
}

TEST_CASE("pressure: it may affect one task alone") {
    memory zone({.pages = 8, .min = 0, .low = 4, .high = 6});
    put_under({.raise_watermarks = true});
    int refused = 0;
    for (int i = 0; i < 100; ++i) {
        if (zone.alloc(6, gfp_nowait))
            zone.free(6);
        else
            ++refused;
    }
    put_under({});
    CHECK(refused > 10);
    CHECK(refused < 90);
    CHECK(zone.alloc(6, gfp_nowait));
}

}  // namespace pressure_test
