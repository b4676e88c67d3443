// Deadlocks of the standard's types, each beside a repaired twin that is proved sound.
#include <chrono>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include <doctest/doctest.h>

#include "wedge/std.hpp"

#include "lock/both.hpp"
#include "support/leaks.hpp"

namespace std_pairs_test {
/// Explores every schedule. Most of these programs wait in destructors.
wedge::outcome controlled(both::tasks tasks) {
    const leaks_allowed where_tasks_are_left;
    return both::controlled(tasks);
}

using wedge::result;

/// Checks that the exhaustive search finds a deadlock, and returns its first signature.
std::string deadlock_of(both::tasks tasks) {
    const wedge::outcome out = controlled(tasks);
    CHECK(out.what == result::deadlock);
    return out.findings.empty() ? "" : out.findings[0].signature;
}

void check_sound(both::tasks tasks) {
    const wedge::outcome out = controlled(tasks);
    CAPTURE(out.reason);
    for (const wedge::finding& each : out.findings) MESSAGE(each.signature);
    CHECK(out.what == result::sound);
    CHECK(out.exhausted);
    both::natively(tasks);
}

TEST_CASE("guards in opposite orders deadlock, and name the user's line") {
    wstd::mutex a;
    wstd::mutex b;
    const auto out = controlled({[&] {
                                     wstd::lock_guard first(a);
                                     wstd::unique_lock second(b);
                                 },
                                 [&] {
                                     wstd::lock_guard first(b);
                                     wstd::lock_guard second(a);
                                 }});
    CHECK(out.what == result::deadlock);
    REQUIRE(out.findings.size() == 1);
    REQUIRE(out.findings[0].cycle.size() == 2);
    for (const wedge::dependency& edge : out.findings[0].cycle)
        CHECK(std::string(edge.wanted.where.file).find("pairs_test.cpp") != std::string::npos);
    check_sound({[&] { wstd::scoped_lock held(a, b); }, [&] { wstd::scoped_lock held(b, a); }});
}

TEST_CASE("lock holds no lock while it waits for another one") {
    wstd::mutex a;
    wstd::mutex b;
    wstd::mutex c;
    // A holder of b that wants a hangs if lock(a, b) keeps a while it waits for b.
    const auto nested = [&] {
        wstd::lock_guard first(b);
        wstd::lock_guard second(a);
    };
    check_sound({[&] { wstd::scoped_lock held(a, b); }, nested});
    check_sound({[&] { wstd::scoped_lock held(a, b, c); }, [&] { wstd::scoped_lock held(c, a); },
                 [&] { wstd::lock_guard held(b); }});
    // What lock takes under another lock is ordered all the same.
    CHECK(deadlock_of({[&] {
                           wstd::lock_guard first(c);
                           wstd::scoped_lock rest(a, b);
                       },
                       [&] {
                           wstd::lock_guard first(b);
                           wstd::lock_guard second(c);
                       }}) != "");
}

TEST_CASE("try_lock gives back what it took, and says which lock was not free") {
    wstd::mutex a;
    wstd::mutex b;
    wstd::mutex c;
    b.lock();
    CHECK(wstd::try_lock(a, b, c) == 1);
    b.unlock();
    CHECK(wstd::try_lock(a, b, c) == -1);
    CHECK_FALSE(a.try_lock());
    a.unlock();
    b.unlock();
    c.unlock();
}

TEST_CASE("a guard that does not hold its lock refuses to release it") {
    wstd::shared_timed_mutex m;
    wstd::shared_lock<wstd::shared_timed_mutex> reader(m, wstd::defer_lock);
    CHECK_THROWS_AS(reader.unlock(), std::system_error);
    reader.lock();
    CHECK_THROWS_AS(reader.lock(), std::system_error);
    wstd::unique_lock<wstd::shared_timed_mutex> writer;
    wstd::thread([&] { writer = wstd::unique_lock(m, std::chrono::milliseconds(1)); }).join();
    CHECK_FALSE(writer.owns_lock());
    reader.unlock();
    CHECK(writer.try_lock());
    wstd::unique_lock moved = std::move(writer);
    CHECK(moved.owns_lock());
    CHECK(moved.mutex() == &m);
    CHECK_THROWS_AS(writer.lock(), std::system_error);
}

TEST_CASE("a task that waits for a future under the lock that the result needs") {
    const auto program = [](bool waits_under_lock) {
        wstd::mutex m;
        wstd::promise<int> made;
        wstd::future<int> wanted = made.get_future();
        wstd::thread maker([&] {
            wstd::lock_guard held(m);
            made.set_value(1);
        });
        int got = 0;  // not within a CHECK, which would catch the end of an execution
        if (waits_under_lock) {
            wstd::lock_guard held(m);
            got = wanted.get();
        } else {
            got = wanted.get();
        }
        maker.join();
        CHECK(got == 1);
    };
    CHECK(deadlock_of({[&] { program(true); }}) != "");
    check_sound({[&] { program(false); }});
}

TEST_CASE("an async that is destroyed under the lock that it needs") {
    const auto program = [](bool drops_under_lock) {
        wstd::mutex m;
        auto running = wstd::async([&] { wstd::lock_guard held(m); });
        if (!drops_under_lock) running.wait();
        wstd::lock_guard held(m);
        running = {};
    };
    CHECK(deadlock_of({[&] { program(true); }}) != "");
    check_sound({[&] { program(false); }});
}

TEST_CASE("a stop callback that is destroyed under the lock that it takes") {
    const auto drop = [](bool under_lock) {
        wstd::mutex m;
        wstd::stop_source source;
        const auto on_stop = [&m] { wstd::lock_guard mine(m); };
        auto callback = std::make_unique<wstd::stop_callback<std::function<void()>>>(
            source.get_token(), on_stop);
        wstd::thread stops([&] { source.request_stop(); });
        if (under_lock) {
            wstd::lock_guard held(m);
            callback.reset();
        } else {
            callback.reset();
        }
        stops.join();
    };
    CHECK(deadlock_of({[&] { drop(true); }}).find("the end of a stop callback") !=
          std::string::npos);
    check_sound({[&] { drop(false); }});
}

TEST_CASE("call_once under a lock that the called function takes") {
    const auto program = [](bool is_inverted) {
        wstd::mutex m;
        wstd::once_flag once;
        int calls = 0;
        const auto init = [&] {
            wstd::lock_guard held(m);
            ++calls;
        };
        wstd::thread other([&] { wstd::call_once(once, init); });
        if (is_inverted) {
            wstd::lock_guard held(m);
            wstd::call_once(once, [&] { ++calls; });
        } else {
            wstd::call_once(once, init);
        }
        other.join();
        CHECK(calls == 1);
    };
    CHECK(deadlock_of({[&] { program(true); }}).find("cycle") == 0);
    check_sound({[&] { program(false); }});
}

TEST_CASE("a failed call_once lets the next call try again") {
    wstd::once_flag once;
    int calls = 0;
    CHECK_THROWS_AS(wstd::call_once(once, [] { throw 1; }), int);
    for (int i = 0; i < 2; ++i)
        wstd::call_once(
            once, [&](int by) { calls += by; }, 2);
    CHECK(calls == 2);
}

TEST_CASE("an atomic wait that no notification ends") {
    const auto program = [](bool notifies) {
        wstd::atomic<int> value = 0;
        wstd::jthread sets([&] {
            value = 1;
            if (notifies) value.notify_one();
        });
        value.wait(0);
    };
    CHECK(deadlock_of({[&] { program(false); }}) != "");
    check_sound({[&] { program(true); }});
}

TEST_CASE("a jthread that is joined under the lock that it needs") {
    const auto program = [](bool is_joined_under_lock) {
        wstd::mutex m;
        wstd::jthread worker([&] { wstd::lock_guard held(m); });
        if (!is_joined_under_lock) worker.join();
        wstd::lock_guard held(m);
        worker = {};
    };
    CHECK(deadlock_of({[&] { program(true); }}) != "");
    check_sound({[&] { program(false); }});
}

/// An object whose destructor takes a lock, as a cache does when the last user drops an entry.
struct entry {
    explicit entry(wstd::mutex& of) : table(of) {}
    ~entry() { wstd::lock_guard held(table); }
    wstd::mutex& table;
};

TEST_CASE("the last shared_ptr is dropped under a lock, and its destructor locks too") {
    const auto program = [](bool drops_under_lock) {
        wstd::mutex table;
        wstd::mutex user;
        auto last = std::make_shared<entry>(table);
        wstd::thread looks([&] {
            wstd::lock_guard first(table);
            wstd::lock_guard second(user);
        });
        const auto drop = [&]() noexcept { last.reset(); };
        if (drops_under_lock) {
            wstd::lock_guard held(user);
            drop();
        } else {
            std::shared_ptr<entry> mine;
            {
                wstd::lock_guard held(user);
                mine.swap(last);
            }
            mine.reset();
        }
        looks.join();
    };
    CHECK(deadlock_of({[&] { program(true); }}).find("cycle") == 0);
    check_sound({[&] { program(false); }});
}

TEST_CASE("a semaphore gives the units that it is told to") {
    const auto program = [](std::ptrdiff_t units) {
        wstd::counting_semaphore<> room(0);
        wstd::jthread gives([&] { room.release(units); });
        room.acquire();
        room.acquire();
    };
    CHECK(deadlock_of({[&] { program(1); }}) != "");
    check_sound({[&] { program(2); }});
}

TEST_CASE("a barrier waits for a party that neither arrives nor leaves") {
    const auto program = [](bool leaves) {
        wstd::barrier<> together(2);
        wstd::jthread other([&] {
            if (leaves) together.arrive_and_drop();
        });
        together.arrive_and_wait();
        if (leaves) together.arrive_and_wait();
    };
    CHECK(deadlock_of({[&] { program(false); }}) != "");
    check_sound({[&] { program(true); }});
}

TEST_CASE("a detached thread must end") {
    const auto program = [](bool ends) {
        const auto gate = std::make_shared<wstd::binary_semaphore>(0);
        wstd::thread([gate] { gate->acquire(); }).detach();
        if (ends) gate->release();
    };
    CHECK(deadlock_of({[&] { program(false); }}) != "");
    check_sound({[&] { program(true); }});
}

TEST_CASE("a timed wait says that it timed out, and under control it may do so at any time") {
    wstd::mutex m;
    wstd::condition_variable changed;
    wstd::unique_lock held(m);
    CHECK(changed.wait_for(held, std::chrono::milliseconds(1)) == wstd::cv_status::timeout);
    held.unlock();
    bool gave_up = false;
    const auto waits = [&] {
        wstd::unique_lock mine(m);
        gave_up |= changed.wait_for(mine, std::chrono::hours(1)) == wstd::cv_status::timeout;
    };
    CHECK(controlled({waits}).what == result::sound);
    CHECK(gave_up);
}

}  // namespace std_pairs_test
