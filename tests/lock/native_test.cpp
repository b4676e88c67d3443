#include <atomic>
#include <chrono>
#include <shared_mutex>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "wedge/wedge.hpp"

namespace {

/// Runs `body(number)` on several real threads at once.
template <class Body>
void on_threads(unsigned count, Body body) {
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < count; ++i) threads.emplace_back([&body, i] { body(i); });
    for (std::thread& each : threads) each.join();
}

constexpr int meetings = 2000;

template <class Lock>
void check_exclusion() {
    Lock lock;
    int counter = 0;
    on_threads(3, [&](unsigned) {
        for (int i = 0; i < meetings; ++i) {
            const wedge::guard held(lock);
            ++counter;
        }
    });
    CHECK(counter == 3 * meetings);
    CHECK(wedge::current().held.empty());
}

}  // namespace

TEST_CASE_TEMPLATE("locks: native locks exclude each other", Lock, wedge::mutex,
                   wedge::recursive_mutex, wedge::spinlock, wedge::shared_mutex,
                   wedge::fair_shared_mutex, wedge::big_reader_mutex,
                   wedge::checked<std::shared_mutex>) {
    check_exclusion<Lock>();
}

TEST_CASE("locks: guards of the standard library take them") {
    wedge::mutex a;
    wedge::mutex b;
    const std::scoped_lock both(a, b);
    CHECK(wedge::current().held.size() == 2);
}

TEST_CASE("locks: a try returns whether it got the lock") {
    wedge::mutex lock;
    {
        const wedge::try_guard mine(lock);
        REQUIRE(static_cast<bool>(mine));
        on_threads(1, [&](unsigned) { CHECK(!lock.try_lock()); });
    }
    REQUIRE(lock.try_lock());
    lock.unlock();
}

// TSan of clang 14 does not know pthread_mutex_clocklock, and reports the unlock as a mistake.
TEST_CASE("locks: a timed acquire gives up" * doctest::skip(wedge::sanitizer::thread)) {
    wedge::timed_mutex lock;
    lock.lock();
    on_threads(1, [&](unsigned) {
        CHECK(!lock.try_lock_for(std::chrono::milliseconds(1)));
        CHECK(wedge::current().held.empty());
    });
    lock.unlock();
    REQUIRE(lock.try_lock_for(std::chrono::seconds(100)));
    lock.unlock();
}

TEST_CASE("recursive_mutex: it is free after as many releases as holds") {
    wedge::recursive_mutex lock;
    lock.lock();
    lock.lock();
    CHECK(wedge::current().held.size() == 1);
    lock.unlock();
    on_threads(1, [&](unsigned) { CHECK(!lock.try_lock()); });
    lock.unlock();
    on_threads(1, [&](unsigned) {
        REQUIRE(lock.try_lock());
        lock.unlock();
    });
}

#define READERS_WRITER_LOCKS wedge::shared_mutex, wedge::fair_shared_mutex, wedge::big_reader_mutex

TEST_CASE_TEMPLATE("shared_mutex: readers share, writers do not, and a downgrade keeps writers out",
                   Lock, READERS_WRITER_LOCKS) {
    Lock lock;
    lock.lock();
    on_threads(1, [&](unsigned) { CHECK(!lock.try_lock_shared()); });
    lock.downgrade();
    on_threads(1, [&](unsigned) {
        REQUIRE(lock.try_lock_shared());
        lock.unlock_shared();
        CHECK(!lock.try_lock());
    });
    lock.unlock_shared();
    CHECK(lock.try_lock());
    lock.unlock();
}

TEST_CASE_TEMPLATE("shared_mutex: a reader waits behind a waiting writer", Lock,
                   wedge::plain_shared_mutex, wedge::plain_fair_shared_mutex,
                   wedge::plain_big_reader_mutex) {
    Lock lock;
    lock.lock_shared();
    std::atomic<bool> is_writer_in{false};
    std::thread writer([&] {
        lock.lock();
        is_writer_in = true;
        lock.unlock();
    });
    // A writer is queued once a try to read is refused.
    while (lock.try_lock_shared()) {
        lock.unlock_shared();
        std::this_thread::yield();
    }
    std::atomic<bool> has_read{false};
    std::thread reader([&] {
        lock.lock_shared();
        has_read = true;
        lock.unlock_shared();
    });
    for (int i = 0; i < 100; ++i) {
        CHECK(!lock.try_lock_shared());
        CHECK(!is_writer_in);
        CHECK(!has_read);
        std::this_thread::yield();
    }
    lock.unlock_shared();
    writer.join();
    reader.join();
}

TEST_CASE_TEMPLATE("shared_mutex: a queued task gets the lock from tasks that take it all the time",
                   Lock, wedge::plain_shared_mutex, wedge::plain_fair_shared_mutex,
                   wedge::plain_big_reader_mutex) {
    Lock lock;
    for (const bool is_reader : {false, true}) {
        std::atomic<int> entries{0};
        on_threads(3, [&](unsigned number) {
            if (number != 0) {
                while (entries.load(std::memory_order_relaxed) < 5) {
                    lock.lock();
                    lock.unlock();
                }
                return;
            }
            for (int i = 0; i < 5; ++i) {
                is_reader ? lock.lock_shared() : lock.lock();
                ++entries;
                is_reader ? lock.unlock_shared() : lock.unlock();
            }
        });
        CHECK(entries == 5);
    }
}

TEST_CASE("big_reader_mutex: a writer waits for readers without a number, and they for it") {
    wedge::plain_big_reader_mutex lock;
    constexpr unsigned readers = wedge::detail::reader_number::capacity + 6;
    std::atomic<unsigned> reading{0};
    std::atomic<bool> is_over{false};
    int value = 0;
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < readers; ++i)
        threads.emplace_back([&] {
            lock.lock_shared();
            ++reading;
            while (!is_over) std::this_thread::yield();
            lock.unlock_shared();
            lock.lock();
            ++value;
            lock.downgrade();
            CHECK(value > 0);
            lock.unlock_shared();
        });
    while (reading != readers) std::this_thread::yield();
    CHECK(!lock.try_lock());
    is_over = true;
    for (std::thread& each : threads) each.join();
    CHECK(lock.try_lock());
    CHECK(value == readers);
    CHECK(!lock.try_lock_shared());
    lock.unlock();
}

TEST_CASE_TEMPLATE("shared_mutex: a writer gets in between readers that overlap", Lock,
                   wedge::plain_shared_mutex, wedge::plain_fair_shared_mutex,
                   wedge::plain_big_reader_mutex) {
    Lock lock;
    std::atomic<bool> has_written{false};
    std::atomic<unsigned> turns[2]{};
    on_threads(3, [&](unsigned number) {
        if (number == 2) {
            while (turns[0] == 0 || turns[1] == 0) std::this_thread::yield();
            lock.lock();
            has_written = true;
            lock.unlock();
            return;
        }
        // Leaves only when the other reader has come in again, so the lock is never free, until
        // the writer is queued: then no reader comes in, and each leaves after a while.
        while (!has_written) {
            lock.lock_shared();
            const unsigned seen = turns[1 - number];
            ++turns[number];
            for (int i = 0; i < 100 && turns[1 - number] == seen; ++i) std::this_thread::yield();
            lock.unlock_shared();
        }
    });
    CHECK(has_written);
}

TEST_CASE_TEMPLATE("shared_mutex: readers, writers and downgrades keep two numbers equal", Lock,
                   READERS_WRITER_LOCKS) {
    Lock lock;
    int a = 0;
    int b = 0;
    on_threads(4, [&](unsigned number) {
        for (int i = 0; i < meetings; ++i) {
            if (number % 2 == 0) {
                const wedge::shared_guard held(lock);
                REQUIRE(a == b);
            } else {
                lock.lock();
                ++a;
                ++b;
                if (i % 3 == 0) {
                    lock.downgrade();
                    REQUIRE(a == b);
                    lock.unlock_shared();
                } else {
                    lock.unlock();
                }
            }
        }
    });
    CHECK(a == 2 * meetings);
}

TEST_CASE("condition: a hand-over between threads, by wait, notify and time-out") {
    wedge::mutex lock;
    wedge::condition changed;
    int turn = 0;
    on_threads(2, [&](unsigned me) {
        for (int i = 0; i < 200; ++i) {
            wedge::guard held(lock);
            changed.wait(held, [&] { return turn == static_cast<int>(me); });
            turn = 1 - turn;
            changed.notify_all();
        }
    });
    CHECK(turn == 0);
    std::unique_lock held(lock);
    CHECK(!changed.wait_for(held, std::chrono::milliseconds(1)));
    CHECK(wedge::current().held.size() == 1);
}

TEST_CASE("thread: a thread runs, has its name, and is joined") {
    std::string name;
    wedge::thread worker([&] { name = wedge::current().title(); }, "worker");
    REQUIRE(worker.joinable());
    worker.join();
    CHECK(!worker.joinable());
    CHECK(name == "worker");
}

TEST_CASE("guard: the reported site is the line of the guard") {
    wedge::mutex lock;
    const unsigned here = __LINE__ + 1;
    const wedge::guard held(lock);
    REQUIRE(wedge::current().held.size() == 1);
    CHECK(wedge::current().held[0].where.line == here);
}
