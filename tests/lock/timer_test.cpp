#include "wedge/lock/timer.hpp"

#include <chrono>

#include <doctest/doctest.h>

#include "wedge/lock/completion.hpp"
#include "wedge/lock/guard.hpp"
#include "wedge/lock/work.hpp"

#include "support/explored.hpp"

namespace timer_test {

using std::chrono::hours;
using std::chrono::milliseconds;
using wedge::result;

TEST_CASE("timer: natively it fires in a softirq, and stop_and_wait waits for the body") {
    wedge::completion fired("fired");
    wedge::context seen = wedge::context::task;
    wedge::timer watchdog(
        [&] {
            seen = wedge::current().context;
            fired.complete();
        },
        "watchdog");
    CHECK(!watchdog.arm(hours(1)));
    CHECK(watchdog.is_armed());
    CHECK(watchdog.arm(milliseconds(1)));
    fired.wait();
    CHECK(!watchdog.stop_and_wait());
    CHECK(seen == wedge::context::softirq);
    watchdog.arm(hours(1));
    CHECK(watchdog.stop());
    CHECK(!watchdog.stop_and_wait());
}

TEST_CASE("delayed work: natively flush does not wait for the delay, and cancel drops the run") {
    int done = 0;
    wedge::delayed_work retire([&] { ++done; }, "retire");
    CHECK(retire.queue(hours(1)));
    CHECK(!retire.queue(hours(1)));
    retire.flush();
    CHECK(done == 1);
    CHECK(!retire.modify(hours(1)));
    CHECK(retire.modify(hours(2)));
    CHECK(retire.cancel_sync());
    CHECK(!retire.cancel());
    CHECK(done == 1);
}

TEST_CASE("irq work: natively it runs in a hardirq, and sync waits for it") {
    wedge::context seen = wedge::context::task;
    wedge::irq_work kick([&] { seen = wedge::current().context; }, "kick");
    kick.queue();
    kick.sync();
    CHECK(seen == wedge::context::hardirq);
}

namespace {

/// A device whose timer takes the lock of its owner.
struct device {
    wedge::spinlock state{"state"};
    int ticks = 0;
    wedge::timer tick{[this] { on_tick(); }, "tick"};

    void on_tick() {
        const wedge::guard held(state);
        if (++ticks < 2) tick.arm(milliseconds(1));
    }
    void start() { tick.arm(milliseconds(1)); }
    void stop_under_lock() {
        wedge::bh_off();
        state.lock();
        tick.stop_and_wait();
        state.unlock();
        wedge::bh_on();
    }
    void stop() {
        tick.stop_and_wait();
        wedge::bh_off();
        state.lock();
        ticks = 0;
        state.unlock();
        wedge::bh_on();
    }
    void peek_with_softirqs() { const wedge::guard held(state); }
    static constexpr auto actions =
        wedge::actions(wedge::action<&device::start>{"start"}, wedge::action<&device::stop>{"stop"},
                       wedge::action<&device::stop_under_lock>{"stop_under_lock"},
                       wedge::action<&device::peek_with_softirqs>{"peek_with_softirqs"});
};

/// A device whose work takes the lock of its owner, and queues itself.
struct retiring {
    wedge::mutex list{"list"};
    wedge::delayed_work retire{[this] { on_retire(); }, "retire"};

    void on_retire() {
        const wedge::guard held(list);
        retire.queue(milliseconds(1));
    }
    void start() { retire.queue(milliseconds(1)); }
    void stop(std::uint32_t is_under_lock) {
        if (is_under_lock != 0) list.lock();
        retire.cancel_sync();
        if (is_under_lock != 0) list.unlock();
    }
    static constexpr auto actions = wedge::actions(wedge::action<&retiring::start>{"start"},
                                                   wedge::action<&retiring::stop>{"stop"});
};

}  // namespace

TEST_CASE("timer: waiting for the body under its lock hangs, before the lock it does not") {
    const wedge::outcome stuck = explored_fully<device>("start, stop_under_lock");
    REQUIRE(stuck.what == result::deadlock);
    CHECK(stuck.findings[0].kind == wedge::finding_kind::circular);
    CHECK(stuck.findings[0].judged == wedge::verdict::confirmed);
    const wedge::outcome repaired = explored_fully<device>("start, stop");
    CHECK(repaired.what == result::sound);
    CHECK(repaired.exhausted);
    CHECK(repaired.findings.empty());
}

TEST_CASE("timer: its lock must not be held with softirqs enabled") {
    const wedge::outcome got = explored_fully<device>("start, peek_with_softirqs");
    REQUIRE(!got.findings.empty());
    CHECK(got.findings[0].kind == wedge::finding_kind::inconsistent_context);
}

TEST_CASE("delayed work: a work item that always queues itself can be cancelled") {
    const wedge::outcome periodic = explored_fully<retiring>("start");
    CHECK(periodic.what == result::unresolved);  // all runs after the second are left out
    CHECK(periodic.reason.find("left out") != std::string::npos);
    CHECK(explored_fully<retiring>("start, stop(0)").findings.empty());
    CHECK(explored_fully<retiring>("start, stop(1)").what == result::deadlock);
}

namespace {

/// An interrupt that takes a spinlock which may sleep on a real-time kernel, or a raw one.
template <class Lock>
struct kicked {
    Lock lock{"lock"};
    wedge::irq_work kick{[this] { const wedge::guard held(lock); }, "kick"};
    void raise() {
        kick.queue();
        kick.sync();
    }
    static constexpr auto actions = wedge::actions(wedge::action<&kicked::raise>{"raise"});
};

}  // namespace

TEST_CASE("irq work: its body may take raw spinlocks only") {
    CHECK(explored_fully<kicked<wedge::raw_spinlock>>("raise").findings.empty());
    const wedge::outcome got = explored_fully<kicked<wedge::spinlock>>("raise");
    REQUIRE(!got.findings.empty());
    CHECK(got.findings[0].kind == wedge::finding_kind::wait_type);
}

}  // namespace timer_test
