#include "wedge/lock/completion.hpp"

#include <doctest/doctest.h>

#include "lock/both.hpp"
#include "support/explored.hpp"

using std::chrono::milliseconds;
using wedge::result;

TEST_CASE("completion: natively each complete lets one wait pass, complete_all lets all pass") {
    wedge::completion done("done");
    both::natively({[&] { done.wait(); }, [&] { done.complete(); }});
    CHECK(!done.try_wait());
    CHECK(!done.wait_for(milliseconds(1)));
    done.complete();
    CHECK(done.try_wait());
    done.complete_all();
    done.wait();
    CHECK(done.try_wait());
}

TEST_CASE("completion: two waits need two completes, or one complete_all") {
    wedge::completion done("done");
    const auto wait = [&] { done.wait(); };
    const auto once = [&] { done.complete(); };
    const auto all = [&] { done.complete_all(); };
    const wedge::outcome stuck = both::controlled({wait, wait, once});
    REQUIRE(stuck.what == result::deadlock);
    CHECK(both::controlled({wait, wait, once, once}).what == result::sound);
    CHECK(both::controlled({wait, wait, all}).what == result::sound);
}

namespace {

/// Completes before any task runs, and checks after all tasks have ended.
struct completed_early {
    wedge::completion ready{"ready"};
    mutable wedge::completion seen{"seen"};
    completed_early() { ready.complete(); }
    void look() {
        ready.wait();
        seen.complete();
    }
    void check() const { seen.wait(); }
    static constexpr auto actions = wedge::actions(wedge::action<&completed_early::look>{"look"});
};

}  // namespace

namespace {

/// A task that forgets old answers, and waits for one.
template <bool asks_first>
struct asked {
    wedge::completion question{"question"};
    wedge::completion answer{"answer"};

    void ask() {
        if (!asks_first) question.complete();
        answer.reset();
        if (asks_first) question.complete();
        answer.wait();
    }
    void tell() {
        question.wait();
        answer.complete();
    }
    static constexpr auto actions =
        wedge::actions(wedge::action<&asked::ask>{"ask"}, wedge::action<&asked::tell>{"tell"});
};

}  // namespace

TEST_CASE("completion: natively a reset forgets each complete, and complete_all") {
    wedge::completion done("done");
    done.complete();
    done.complete();
    done.reset();
    CHECK(!done.try_wait());
    done.complete_all();
    done.reset();
    CHECK(!done.try_wait());
    done.complete();
    CHECK(done.try_wait());
}

TEST_CASE("completion: a reset that comes after the answer is a hang") {
    CHECK(explored_fully<asked<false>>("ask | tell").what == wedge::result::deadlock);
    CHECK(explored_fully<asked<true>>("ask | tell").what == wedge::result::sound);
}

TEST_CASE("completion: completes and waits in a workload's constructor and check count too") {
    CHECK(wedge::explore<completed_early>(wedge::parse_program("look")).what == result::sound);
    const wedge::outcome twice =
        wedge::explore<completed_early>(wedge::parse_program("look | look"));
    CHECK(twice.what == result::deadlock);
}
