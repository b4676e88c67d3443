// Locks that are reported by their address.
#include "wedge/lock/external.hpp"

#include <mutex>

#include <doctest/doctest.h>
#if __has_include(<boost/thread/recursive_mutex.hpp>)
#include <boost/thread/recursive_mutex.hpp>
#define HAS_BOOST_THREAD
#endif

#include "wedge/wedge.hpp"

#include "support/watched.hpp"

using wedge::finding_kind;

TEST_CASE("external: an inversion of two addresses is found, one order twice is not") {
    for (const bool inverts : {true, false}) {
        std::mutex a;
        std::mutex b;
        const wedge::lock_class of_a("a");
        const wedge::lock_class of_b("b");
        watched here;
        wedge::acquired(&a, of_a);
        wedge::acquired(&b, of_b);
        wedge::released(&b);
        wedge::released(&a);
        wedge::acquired(inverts ? &b : &a, inverts ? of_b : of_a);
        wedge::acquired(inverts ? &a : &b, inverts ? of_a : of_b);
        wedge::released(&a);
        wedge::released(&b);
        CHECK(wedge::current().held.empty());
        REQUIRE(here.findings().size() == (inverts ? 1U : 0U));
        if (inverts) {
            CHECK(here.findings()[0].kind == finding_kind::circular);
            CHECK(here.findings()[0].cycle[0].wanted.where.is_known());
        }
    }
}

TEST_CASE("external: an address keeps its instance, and readers and trylocks count as such") {
    std::mutex a;
    std::mutex b;
    const wedge::lock_class cls("x");
    watched here;
    wedge::acquired(&a, cls, wedge::mode::recursive_shared);
    wedge::acquired(&b, cls, wedge::mode::recursive_shared);
    CHECK(wedge::current().held[0].instance != wedge::current().held[1].instance);
    wedge::released(&a);
    wedge::released(&b);
    wedge::acquired(&a, cls);
    wedge::try_acquired(&b, cls);
    wedge::released(&b);
    CHECK(here.findings().empty());
    wedge::acquired(&a, cls);
    REQUIRE(here.findings().size() == 1);
    CHECK(here.findings()[0].kind == finding_kind::recursive);
    wedge::released(&a);
    wedge::released(&a);
    wedge::released(&a);
    CHECK(here.findings().back().kind == finding_kind::unlock_imbalance);
}

TEST_CASE("external: a lock of another class at a known address is another lock") {
    std::mutex memory;
    watched here;
    wedge::acquired(&memory, wedge::lock_class("x"));
    const std::uint32_t before = wedge::current().held[0].instance;
    wedge::released(&memory);
    wedge::acquired(&memory, wedge::lock_class("y"));
    CHECK(wedge::current().held[0].instance != before);
    wedge::released(&memory);
    wedge::released(&here);
    CHECK(here.findings().empty());
}

TEST_CASE("external: a recursive lock may be taken again, and hides no inversion") {
    int memory = 0;
    std::mutex other;
    const wedge::lock_class cls("recursive outside");
    const wedge::lock_class inner("inner outside");
    watched here;
    wedge::acquired(&memory, cls, wedge::is_recursive);
    wedge::acquired(&other, inner);
    wedge::acquired(&memory, cls, wedge::is_recursive);
    wedge::try_acquired(&memory, cls, wedge::is_recursive);
    for (int i = 0; i < 2; ++i) wedge::released(&memory);
    CHECK(wedge::current().held.size() == 2);
    wedge::released(&other);
    wedge::released(&memory);
    CHECK(wedge::current().held.empty());
    CHECK(here.findings().empty());
    wedge::acquired(&other, inner);
    wedge::acquired(&memory, cls, wedge::is_recursive);
    wedge::released(&memory);
    wedge::released(&other);
    REQUIRE(here.findings().size() == 1);
    CHECK(here.findings()[0].kind == finding_kind::circular);
}

#ifdef HAS_BOOST_THREAD
TEST_CASE("external: boost's recursive mutexes are recursive, its plain one is not") {
    static_assert(wedge::lock_traits<boost::recursive_mutex>::kind ==
                  wedge::lock_kind::recursive_mutex);
    wedge::checked<boost::recursive_mutex> again("boost");
    wedge::checked<boost::recursive_timed_mutex> timed("boost timed");
    watched here;
    for (int i = 0; i < 2; ++i) again.lock();
    for (int i = 0; i < 2; ++i) timed.lock();
    for (int i = 0; i < 2; ++i) timed.unlock();
    for (int i = 0; i < 2; ++i) again.unlock();
    CHECK(here.findings().empty());
    CHECK(wedge::current().held.empty());
}
#endif

TEST_CASE("external: at level 0 nothing is reported") {
    using off = wedge::level_constant<wedge::level::off>;
    std::mutex a;
    wedge::acquired<off>(&a, wedge::lock_class("a"));
    CHECK(wedge::current().held.empty());
    wedge::released<off>(&a);
}
