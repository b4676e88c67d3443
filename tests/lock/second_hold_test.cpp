// Locks whose type forbids a task to take them twice: the shared mutexes of the standard library.
#include <chrono>
#include <shared_mutex>

#include <doctest/doctest.h>

#include "wedge/lock/assert.hpp"
#include "wedge/report/words.hpp"
#include "wedge/wedge.hpp"

#include "lock/both.hpp"
#include "support/watched.hpp"

namespace second_hold_test {
using wedge::finding;
using wedge::finding_kind;
using wedge::result;
using wedge::verdict;

namespace {

/// Returns whether this is a single finding about a nesting that has happened.
bool is_one_breach(const std::vector<finding>& all) {
    return all.size() == 1 && all[0].kind == finding_kind::recursive &&
           all[0].judged == verdict::observed;
}

/// A user's lock whose readers may nest.
class own_rwlock : public wedge::plain_shared_mutex {};

}  // namespace

#define STANDARD_LOCKS wedge::checked<std::shared_mutex>, wedge::shared_timed_mutex

TEST_CASE_TEMPLATE("second hold: a nested read of a standard lock is found natively", Lock,
                   STANDARD_LOCKS) {
    Lock lock("std");
    {
        const watched here;
        const wedge::shared_guard first(lock);
        const wedge::shared_guard again(lock);
        REQUIRE(is_one_breach(here.findings()));
        CHECK(here.findings()[0].what == "std taken again while held, which its type forbids");
        CHECK(wedge::report::heading_of(here.findings()[0]).starts_with("recursive: "));
    }
    const watched here;
    { const wedge::shared_guard first(lock); }
    { const wedge::shared_guard next(lock); }
    CHECK(here.findings().empty());
}

TEST_CASE_TEMPLATE("second hold: a nested try that succeeds is found", Lock, STANDARD_LOCKS) {
    Lock lock("std tried");
    const watched here;
    REQUIRE(lock.try_lock_shared());
    lock.unlock_shared();
    CHECK(here.findings().empty());
    const wedge::shared_guard first(lock);
    REQUIRE(lock.try_lock_shared());
    lock.unlock_shared();
    CHECK(is_one_breach(here.findings()));
}

TEST_CASE_TEMPLATE("second hold: a nested write is found", Lock, STANDARD_LOCKS) {
    Lock lock("std written");
    {
        const watched here;
        const wedge::shared_guard reading(lock);
        wedge::might_lock(lock);
        CHECK(is_one_breach(here.findings()));
    }
    const watched here;
    const wedge::guard writing(lock);
    wedge::might_lock_shared(lock);
    CHECK(is_one_breach(here.findings()));
}

TEST_CASE("second hold: a class may allow nested reads, but not a nested write") {
    wedge::checked<std::shared_mutex> lock(wedge::lock_class("lenient", {.reads_nest = true}));
    const watched here;
    const wedge::shared_guard first(lock);
    const wedge::shared_guard again(lock);
    CHECK(here.findings().empty());
    wedge::might_lock(lock);
    CHECK(is_one_breach(here.findings()));
}

TEST_CASE("second hold: readers of other lock types may nest") {
    wedge::checked<own_rwlock> lock("own");
    const auto nested = [&] {
        const wedge::shared_guard first(lock);
        const wedge::shared_guard again(lock);
    };
    const watched here;
    nested();
    CHECK(here.findings().empty());
    CHECK(both::controlled({nested, nested}).what == result::sound);
}

TEST_CASE_TEMPLATE("second hold: under the explorer it is a finding, with a writer or without",
                   Lock, STANDARD_LOCKS) {
    Lock lock("std explored");
    const auto nested = [&] {
        const wedge::shared_guard first(lock);
        const wedge::shared_guard again(lock);
    };
    const auto in_turn = [&] {
        { const wedge::shared_guard first(lock); }
        { const wedge::shared_guard next(lock); }
    };
    const auto write = [&] { const wedge::guard held(lock); };
    for (const wedge::outcome& all : {both::controlled({nested}), both::controlled({nested, write}),
                                      both::controlled({nested, nested})}) {
        CHECK(all.what == result::finding);
        CHECK(all.exhausted);
        CHECK(is_one_breach(all.findings));
    }
    CHECK(both::controlled({in_turn, in_turn}).what == result::sound);
    CHECK(both::controlled({in_turn, write}).what == result::sound);
}

TEST_CASE("second hold: with every policy it also meets the writer that it deadlocks with") {
    wedge::checked<std::shared_mutex> lock("std with policies");
    const auto nested = [&] {
        const wedge::shared_guard first(lock);
        const wedge::shared_guard again(lock);
    };
    const auto in_turn = [&] { const wedge::shared_guard first(lock); };
    const auto write = [&] { const wedge::guard held(lock); };
    constexpr wedge::explore_options open{.all_policies = true};
    const wedge::outcome stuck = wedge::explore({nested, write}, open);
    CHECK(stuck.what == result::deadlock);
    REQUIRE(stuck.findings.size() == 1);
    CHECK(stuck.findings[0].judged == verdict::confirmed);
    CHECK(stuck.best.open.all_policies);
    CHECK(wedge::explore({in_turn, write}, open).what == result::sound);
}

TEST_CASE("second hold: a wait that gives up breaks the contract too") {
    wedge::shared_timed_mutex lock("std timed");
    const auto twice = [&] {
        const wedge::shared_guard first(lock);
        if (lock.try_lock_for(std::chrono::milliseconds(1))) lock.unlock();
    };
    const wedge::outcome all = both::controlled({twice});
    CHECK(all.what == result::finding);
    CHECK(is_one_breach(all.findings));
}

}  // namespace second_hold_test
