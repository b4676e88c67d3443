#include "wedge/lock/wait_queue.hpp"

#include <chrono>

#include <doctest/doctest.h>

#include "lock/both.hpp"
#include "support/explored.hpp"

namespace wait_queue_test {

using wedge::result;

TEST_CASE("wait queue: natively a waiter goes on when its predicate is true") {
    wedge::wait_queue idle("idle");
    wedge::atomic<int> users(2);
    const auto leave = [&] {
        users.fetch_sub(1);
        idle.wake_up();
    };
    both::natively({[&] { idle.wait([&] { return users == 0; }); }, leave, leave});
    CHECK(!idle.is_active());
    CHECK(!idle.wait_for(std::chrono::milliseconds(1), [] { return false; }));
    CHECK(idle.wait_for(std::chrono::milliseconds(1), [] { return true; }));
    CHECK(idle.wait_interruptible([] { return true; }));
}

TEST_CASE("wait queue: natively a wake-up wakes one exclusive waiter") {
    wedge::wait_queue tags("tags");
    wedge::atomic<int> free(0);
    const auto take = [&] {
        tags.wait_exclusive([&] {
            int now = free;
            return now != 0 && free.compare_exchange(now, now - 1);
        });
    };
    const auto give = [&] {
        free.fetch_add(1);
        tags.wake_up();
    };
    both::natively({take, take, give, give});
    CHECK(free == 0);
}

namespace {

/// Tasks that wait until a door is open.
struct hall {
    wedge::wait_queue queue{"queue"};
    wedge::atomic<bool> is_open{false, "is_open"};

    void wait() {
        queue.wait([this] { return is_open.load(); });
    }
    void wait_exclusive() {
        queue.wait_exclusive([this] { return is_open.load(); });
    }
    void open_and_wake() {
        is_open = true;
        queue.wake_up();
    }
    void open_and_wake_all() {
        is_open = true;
        queue.wake_up_all();
    }
    void open() { is_open = true; }
    void wake_and_open() {
        queue.wake_up();
        is_open = true;
    }
    static constexpr auto actions = wedge::actions(
        wedge::action<&hall::wait>{"wait"}, wedge::action<&hall::wait_exclusive>{"wait_exclusive"},
        wedge::action<&hall::open_and_wake>{"open_and_wake"},
        wedge::action<&hall::open_and_wake_all>{"open_and_wake_all"},
        wedge::action<&hall::open>{"open"}, wedge::action<&hall::wake_and_open>{"wake_and_open"});
};

}  // namespace

TEST_CASE("wait queue: no wake-up after a change is lost, others are") {
    CHECK(explored_fully<hall>("wait | open_and_wake").what == result::sound);
    CHECK(explored_fully<hall>("wait | wait | open_and_wake").what == result::sound);
    CHECK(explored_fully<hall>("wait | open").what == result::deadlock);
    CHECK(explored_fully<hall>("wait | wake_and_open").what == result::deadlock);
}

TEST_CASE("wait queue: one wake-up is not enough for two exclusive waiters") {
    CHECK(explored_fully<hall>("wait_exclusive | open_and_wake").what == result::sound);
    CHECK(explored_fully<hall>("wait_exclusive | wait_exclusive | open_and_wake_all").what ==
          result::sound);
    CHECK(explored_fully<hall>("wait_exclusive | wait_exclusive | open_and_wake").what ==
          result::deadlock);
}

TEST_CASE("wait queue: a signal may end an interruptible wait, and a timed wait may give up") {
    wedge::wait_queue idle("idle");
    bool was_interrupted = false;
    bool was_late = false;
    const auto never = [] { return false; };
    // A deadlock that only a signal could end is still a deadlock.
    const wedge::outcome got = both::controlled(
        {[&] { was_interrupted = !idle.wait_interruptible(never) || was_interrupted; }});
    CHECK(got.what == result::deadlock);
    CHECK(was_interrupted);
    const wedge::outcome timed = both::controlled(
        {[&] { was_late = !idle.wait_for(std::chrono::seconds(1), never) || was_late; }});
    CHECK(timed.what == result::sound);
    CHECK(was_late);
}

}  // namespace wait_queue_test
