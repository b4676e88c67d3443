// Threads outside of wedge's control that use locks during a search.
#include <thread>

#include <doctest/doctest.h>

#include "wedge/explore.hpp"
#include "wedge/wedge.hpp"

namespace foreign_thread_test {
using wedge::result;

namespace {

/// An inversion. A std::thread runs one half of it.
struct beside {
    wedge::mutex a{"a"}, b{"b"};
    void ab() {
        const wedge::guard first(a);
        const wedge::guard second(b);
    }
    void ba() {
        std::thread([this] {
            const wedge::guard first(b);
            const wedge::guard second(a);
        }).join();
    }
    static constexpr auto actions =
        wedge::actions(wedge::action<&beside::ab>{"ab"}, wedge::action<&beside::ba>{"ba"});
};

/// The same inversion with a trylock.
struct tries_beside : beside {
    void try_b() {
        std::thread([this] {
            if (b.try_lock()) b.unlock();
        }).join();
    }
    static constexpr auto actions = wedge::actions(wedge::action<&tries_beside::ab>{"ab"},
                                                   wedge::action<&tries_beside::try_b>{"try_b"});
};

/// The std::thread uses a lock that no task uses.
struct apart : beside {
    void own() {
        std::thread([] {
            wedge::mutex mine{"mine"};
            const wedge::guard held(mine);
        }).join();
        ab();
    }
    static constexpr auto actions =
        wedge::actions(wedge::action<&apart::ab>{"ab"}, wedge::action<&apart::own>{"own"});
};

}  // namespace

TEST_CASE(
    "foreign thread: the lock of an execution that it takes is named, and nothing is proved") {
    for (const wedge::substrate on : {wedge::substrate::automatic, wedge::substrate::threads}) {
        const wedge::outcome seen = wedge::explore<beside>(wedge::default_program<beside>(),
                                                           {.executions_max = 20, .on = on});
        CHECK(seen.what == result::exception);
        CHECK(!seen.exhausted);
        REQUIRE(!seen.findings.empty());
        CHECK(seen.findings[0].what.starts_with("a thread that is not a task took b at "));
    }
    CHECK(
        wedge::explore<tries_beside>(wedge::default_program<tries_beside>(), {.executions_max = 20})
            .what == result::exception);
}

TEST_CASE("foreign thread: a thread with its own locks, or after the search, is no finding") {
    CHECK(wedge::explore<apart>(wedge::default_program<apart>()).what == result::sound);
    wedge::mutex outside{"outside"};
    const auto lock = [&] { const wedge::guard held(outside); };
    CHECK(wedge::explore({lock, lock}).what == result::sound);
    std::thread(lock).join();
}

}  // namespace foreign_thread_test
