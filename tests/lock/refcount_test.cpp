#include "wedge/lock/refcount.hpp"

#include <stdexcept>

#include <doctest/doctest.h>

#include "wedge/wedge.hpp"

#include "support/explored.hpp"
#include "support/watched.hpp"

namespace refcount_test {

using wedge::finding_kind;
using wedge::result;

TEST_CASE("refcount: the last put runs the body, and no reference comes back") {
    wedge::refcount count;
    int releases = 0;
    const auto release = [&] { ++releases; };
    count.get();
    CHECK(count.references() == 2);
    CHECK(count.put_not_last());
    CHECK(!count.put_not_last());
    CHECK(count.get_unless_zero());
    CHECK(!count.put(release));
    CHECK(count.put(release));
    CHECK(releases == 1);
    CHECK(!count.get_unless_zero());
    CHECK_THROWS_AS(count.put(release), std::logic_error);
}

TEST_CASE("refcount: put_and_lock holds the lock for the last reference only") {
    wedge::refcount count(2);
    wedge::mutex table("table");
    CHECK(!count.put_and_lock(table));
    CHECK(table.try_lock());
    table.unlock();
    CHECK(count.put_and_lock(table));
    CHECK(wedge::current().held.size() == 1);
    table.unlock();
}

TEST_CASE("refcount: the body may destroy the count") {
    watched here;
    auto* const count = new wedge::refcount(1, "owned");
    CHECK(count->put([count] { delete count; }));
    CHECK(here.findings().empty());
}

TEST_CASE(
    "refcount: a put under a lock that the body takes is found, although it is not the last") {
    for (const bool is_under_lock : {true, false}) {
        watched here;
        wedge::mutex resv("resv");
        const auto release = [&] { const wedge::guard held(resv); };
        {
            wedge::refcount count(1, "object");
            count.put(release);
        }
        wedge::refcount count(2, "object");
        if (is_under_lock) {
            const wedge::guard held(resv);
            count.put(release);
        } else {
            count.put(release);
        }
        CHECK(here.findings().size() == (is_under_lock ? 1U : 0U));
        if (is_under_lock) CHECK(here.findings()[0].kind == finding_kind::circular);
    }
}

TEST_CASE("refcount: a body that sleeps forbids puts under a spinlock") {
    for (const auto how : {wedge::release_waits::sleeps, wedge::release_waits::unknown}) {
        watched here;
        const bool sleeps = how == wedge::release_waits::sleeps;
        wedge::spinlock list("list");
        wedge::refcount count(2, sleeps ? "sleeper" : "nothing known", how);
        {
            const wedge::guard held(list);
            count.put([] {});
        }
        CHECK(here.findings().size() == (sleeps ? 1U : 0U));
        if (sleeps) CHECK(here.findings()[0].kind == finding_kind::wait_type);
    }
}

TEST_CASE("refcount: a parent that is put by its child's body is no nesting of its class") {
    watched here;
    wedge::refcount parent(1, "node");
    wedge::refcount child(1, "node");
    child.put([&] { parent.put([] {}); });
    CHECK(here.findings().empty());
}

namespace {

/// A buffer with a lookup that holds the reservation while it drops its reference.
template <bool Broken>
struct buffer {
    wedge::mutex resv{"resv"};
    wedge::refcount references{1, "object"};
    bool is_gone = false;

    void release() {
        const wedge::guard held(resv);
        is_gone = true;
    }
    void use() {
        if (!references.get_unless_zero()) return;
        resv.lock();
        if (Broken) references.put([this] { release(); });
        resv.unlock();
        if (!Broken) references.put([this] { release(); });
    }
    void close() {
        references.put([this] { release(); });
    }
    void check() const {
        if (!is_gone) throw std::logic_error("a reference leaks");
    }
    static constexpr auto actions =
        wedge::actions(wedge::action<&buffer::use>{"use"}, wedge::action<&buffer::close>{"close"});
};

}  // namespace

TEST_CASE("refcount: the explorer confirms the last put under the lock, and finds nothing else") {
    const wedge::outcome stuck = explored_fully<buffer<true>>("use | close");
    CHECK(stuck.what == result::deadlock);
    const wedge::outcome repaired = explored_fully<buffer<false>>("use | close");
    CHECK(repaired.what == result::sound);
    CHECK(repaired.findings.empty());
    // Where the last reference cannot be put under the lock, the finding is refuted.
    const wedge::outcome kept = explored_fully<buffer<true>>("use, close");
    CHECK(kept.what == result::sound);
    REQUIRE(kept.findings.size() == 1);
    CHECK(kept.findings[0].judged == wedge::verdict::refuted);
}

}  // namespace refcount_test
