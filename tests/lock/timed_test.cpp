// Waits that may give up: in live programs at their time, under control whenever the engine
// chooses.
#include <chrono>
#include <functional>
#include <mutex>
#include <shared_mutex>

#include <doctest/doctest.h>

#include "lock/both.hpp"

namespace timed_test {
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using wedge::result;

namespace {

/// Returns a time that is over.
steady_clock::time_point now() {
    return steady_clock::now();
}

/// Checks that a try gives up while another task has the lock, and succeeds afterwards: in a live
/// program, and under control.
template <class Lock>
void check_that_it_gives_up(Lock& lock, std::function<bool()> try_it, std::function<void()> undo) {
    lock.lock();
    both::natively({[&] { CHECK(!try_it()); }});
    lock.unlock();
    both::natively({[&] {
        REQUIRE(try_it());
        undo();
        CHECK(wedge::current().held.empty());
    }});
    unsigned gave_up = 0;
    unsigned got_it = 0;
    const wedge::outcome all = both::controlled({[&] {
                                                     lock.lock();
                                                     lock.unlock();
                                                 },
                                                 [&] {
                                                     if (!try_it()) {
                                                         ++gave_up;
                                                         return;
                                                     }
                                                     ++got_it;
                                                     undo();
                                                 }});
    CHECK(all.what == result::sound);
    CHECK(gave_up > 0);
    CHECK(got_it > 0);
}

}  // namespace

TEST_CASE_TEMPLATE("timed: an exclusive acquire gives up, or gets the lock", Lock,
                   wedge::timed_mutex, wedge::recursive_timed_mutex, wedge::shared_timed_mutex) {
    Lock lock("timed lock");
    const auto undo = [&] { lock.unlock(); };
    check_that_it_gives_up(
        lock, [&] { return lock.try_lock_for(milliseconds(1)); }, undo);
    check_that_it_gives_up(
        lock, [&] { return lock.try_lock_until(now()); }, undo);
}

TEST_CASE("timed: a shared acquire gives up, or gets the lock") {
    wedge::shared_timed_mutex lock("timed rwlock");
    const auto undo = [&] { lock.unlock_shared(); };
    check_that_it_gives_up(
        lock, [&] { return lock.try_lock_shared_for(milliseconds(1)); }, undo);
    check_that_it_gives_up(
        lock, [&] { return lock.try_lock_shared_until(now()); }, undo);
}

TEST_CASE("timed: the holder of a recursive mutex gets it again") {
    wedge::recursive_timed_mutex lock("again");
    const auto twice = [&] {
        const wedge::guard held(lock);
        REQUIRE(lock.try_lock_for(milliseconds(1)));
        lock.unlock();
    };
    both::natively({twice});
    CHECK(both::controlled({twice, twice}).what == result::sound);
}

TEST_CASE("timed: an inversion hangs only if both acquires wait without a time-out") {
    wedge::timed_mutex a("timed a");
    wedge::timed_mutex b("timed b");
    const auto ab = [&] {
        const wedge::guard first(a);
        const wedge::guard second(b);
    };
    const auto ba = [&] {
        const wedge::guard first(b);
        const wedge::guard second(a);
    };
    const auto ba_or_not = [&] {
        const wedge::guard first(b);
        if (a.try_lock_for(milliseconds(1))) a.unlock();
    };
    CHECK(both::controlled({ab, ba}).what == result::deadlock);
    const wedge::outcome timed = both::controlled({ab, ba_or_not});
    CHECK(timed.what != result::deadlock);
    CHECK(timed.exhausted);
}

TEST_CASE("timed: waits for events give up, or see the event") {
    wedge::completion done("done");
    wedge::latch all(1, "all");
    wedge::semaphore units(0, "units");
    const auto none_natively = [&] {
        CHECK(!done.wait_until(now()));
        CHECK(!done.wait_for(milliseconds(1)));
        CHECK(!all.try_wait());
        CHECK(!all.wait_until(now()));
        CHECK(!all.wait_for(milliseconds(1)));
        CHECK(!units.down_until(now()));
    };
    both::natively({none_natively});
    unsigned seen = 0;
    unsigned missed = 0;
    const auto count = [&](bool is_seen) { ++(is_seen ? seen : missed); };
    const wedge::outcome tried = both::controlled({[&] {
        wedge::latch gate(1, "gate");
        wedge::thread other([&] { gate.count_down(); });
        count(gate.wait_for(milliseconds(1)));
        other.join();
    }});
    CHECK(tried.what == result::sound);
    CHECK(seen > 0);
    CHECK(missed > 0);
}

TEST_CASE("timed: a wait takes a lock again as it was held, for reading or for writing") {
    wedge::shared_mutex lock("lock");
    wedge::condition changed("changed");
    const auto waits = [&](auto held, wedge::mode how) {
        changed.wait_for(held, milliseconds(1));
        REQUIRE(wedge::current().held.size() == 1);
        CHECK(wedge::current().held.innermost().how == how);
    };
    const auto reads = [&] { waits(std::shared_lock(lock), wedge::mode::shared); };
    const auto writes = [&] { waits(std::unique_lock(lock), wedge::mode::exclusive); };
    {
        const wedge::shared_guard other(lock);
        both::natively({reads});
    }
    both::natively({writes});
    wedge::semaphore ended(0, "ended");
    const auto holds_until_the_end = [&] {
        const wedge::shared_guard other(lock);
        ended.down();
    };
    const auto and_ends = [&](const auto& body) {
        return [&] {
            body();
            ended.up();
        };
    };
    CHECK(both::controlled({and_ends(reads), holds_until_the_end}).what == result::sound);
    CHECK(both::controlled({and_ends(writes), holds_until_the_end}).what == result::deadlock);
}

TEST_CASE("timed: a condition that gives up returns the value of its predicate") {
    struct flagged {
        wedge::mutex lock{"lock"};
        wedge::condition changed{"changed"};
        bool is_set = false;
        bool wait() {
            wedge::guard held(lock);
            return changed.wait_for(held, milliseconds(1), [&] { return is_set; });
        }
        bool wait_until(steady_clock::time_point end) {
            wedge::guard held(lock);
            return changed.wait_until(held, end, [&] { return is_set; });
        }
        void set() {
            const wedge::guard held(lock);
            is_set = true;
            changed.notify_all();
        }
    };
    flagged natively;
    CHECK(!natively.wait());
    CHECK(!natively.wait_until(now()));
    natively.set();
    CHECK(natively.wait());
    CHECK(natively.wait_until(now()));
    unsigned seen = 0;
    unsigned missed = 0;
    const wedge::outcome tried = both::controlled({[&] {
        flagged state;
        wedge::thread other([&] { state.set(); });
        ++(state.wait() ? seen : missed);
        other.join();
    }});
    CHECK(tried.what == result::sound);
    CHECK(seen > 0);
    CHECK(missed > 0);
}

TEST_CASE("interruptible: a signal may end the wait, and a deadlock that needs a signal is one") {
    wedge::shared_mutex lock("signalled");
    wedge::semaphore units(0, "signalled units");
    wedge::completion done("signalled done");
    wedge::mutex outer("outer");
    wedge::condition changed("signalled condition");
    CHECK(wedge::lock_shared_interruptible(lock));
    lock.unlock_shared();
    units.up();
    CHECK(units.down_interruptible());
    done.complete();
    CHECK(done.wait_interruptible());
    const auto check_that_it_hangs = [](std::function<void()> body) {
        CHECK(both::controlled({std::move(body)}).what == result::deadlock);
    };
    check_that_it_hangs([&] { static_cast<void>(units.down_interruptible()); });
    check_that_it_hangs([&] { static_cast<void>(done.wait_interruptible()); });
    check_that_it_hangs([&] {
        wedge::guard held(outer);
        static_cast<void>(changed.wait_interruptible(held));
    });
    unsigned taken = 0;
    unsigned interrupted = 0;
    const wedge::outcome all = both::controlled({[&] { const wedge::guard held(lock); },
                                                 [&] {
                                                     if (!wedge::lock_shared_interruptible(lock)) {
                                                         ++interrupted;
                                                         return;
                                                     }
                                                     ++taken;
                                                     lock.unlock_shared();
                                                 }});
    CHECK(all.what == result::sound);
    CHECK(taken > 0);
    CHECK(interrupted > 0);
}

TEST_CASE("interruptible: waits with a ticket, and without one") {
    wedge::ww_class resv("resv of signals");
    wedge::ww_mutex a(resv);
    wedge::ww_mutex b(resv);
    unsigned interrupted = 0;
    unsigned taken = 0;
    const auto both_of = [&](wedge::ww_mutex& first, wedge::ww_mutex& second) {
        wedge::ww_ticket ticket(resv);
        wedge::ww_mutex* slow = nullptr;
        for (;;) {
            if (slow != nullptr &&
                slow->lock_slow_interruptible(ticket) == wedge::ww_result::interrupted)
                break;
            const wedge::ww_result one = first.lock_interruptible(ticket);
            const wedge::ww_result two =
                one == wedge::ww_result::back_off ? one : second.lock_interruptible(ticket);
            if (two != wedge::ww_result::back_off) break;
            slow = ticket.contended();
            ticket.unlock_all();
        }
        ticket.unlock_all();
    };
    const wedge::outcome tickets =
        both::controlled({[&] { both_of(a, b); }, [&] { both_of(b, a); }});
    CHECK(tickets.what == result::sound);
    const auto alone = [&] {
        if (!a.lock_interruptible()) {
            ++interrupted;
            return;
        }
        ++taken;
        a.unlock();
    };
    CHECK(both::controlled({alone, alone}).what == result::sound);
    CHECK(interrupted > 0);
    CHECK(taken > 0);
}

}  // namespace timed_test
