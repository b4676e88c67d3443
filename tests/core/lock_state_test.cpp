#include "wedge/core/lock_state.hpp"

#include <doctest/doctest.h>

using wedge::lock_kind;
using wedge::lock_state;
using wedge::mode;

TEST_CASE("lock_state: a mutex excludes all tasks, its holder too") {
    lock_state lock(lock_kind::mutex);
    REQUIRE(lock.can_acquire(0, mode::exclusive));
    lock.acquire(0, mode::exclusive);
    CHECK(!lock.can_acquire(1, mode::exclusive));
    CHECK(!lock.can_acquire(0, mode::exclusive));
    lock.release(0);
    CHECK(lock.can_acquire(1, mode::exclusive));
}

TEST_CASE("lock_state: a recursive mutex is free after as many releases as holds") {
    lock_state lock(lock_kind::recursive_mutex);
    lock.acquire(0, mode::exclusive);
    REQUIRE(lock.can_acquire(0, mode::exclusive));
    lock.acquire(0, mode::exclusive);
    lock.release(0);
    CHECK(!lock.can_acquire(1, mode::exclusive));
    lock.release(0);
    CHECK(lock.can_acquire(1, mode::exclusive));
}

TEST_CASE("lock_state: in a shared_mutex a reader waits behind a queued writer") {
    lock_state lock(lock_kind::shared_mutex);
    lock.acquire(0, mode::shared);
    CHECK(lock.can_acquire(1, mode::shared));
    lock.enqueue(2, mode::exclusive);
    CHECK(!lock.can_acquire(1, mode::shared));
    lock.enqueue(1, mode::shared);
    lock.release(0);
    CHECK(lock.can_acquire(2, mode::exclusive));
    CHECK(!lock.can_acquire(1, mode::shared));
    lock.acquire(2, mode::exclusive);
    lock.release(2);
    CHECK(lock.can_acquire(1, mode::shared));
}

TEST_CASE("lock_state: neighbouring readers in the queue enter together") {
    lock_state lock(lock_kind::shared_mutex);
    lock.acquire(0, mode::exclusive);
    lock.enqueue(1, mode::shared);
    lock.enqueue(2, mode::shared);
    lock.release(0);
    CHECK(lock.can_acquire(2, mode::shared));
    lock.acquire(1, mode::shared);
    CHECK(lock.can_acquire(2, mode::shared));
}

TEST_CASE("lock_state: in an rwlock a reader waits only for a writer that holds the lock") {
    lock_state lock(lock_kind::rwlock);
    lock.acquire(0, mode::recursive_shared);
    CHECK(!lock.can_acquire(1, mode::exclusive));
    CHECK(lock.can_acquire(0, mode::recursive_shared));
    CHECK(!lock.has_queue());
}

TEST_CASE("lock_state: a downgrade lets the readers in and keeps the writers out") {
    lock_state lock(lock_kind::shared_mutex);
    lock.acquire(0, mode::exclusive);
    lock.enqueue(1, mode::shared);
    lock.downgrade(0);
    CHECK(lock.can_acquire(1, mode::shared));
    CHECK(!lock.can_acquire(2, mode::exclusive));
}

TEST_CASE("lock_state: the policy decides which tasks a readers-writer lock lets in") {
    const auto state_under = [](wedge::rw_policy policy) {
        lock_state lock(lock_kind::shared_mutex);
        lock.set_policy(policy);
        lock.acquire(0, mode::shared);
        lock.enqueue(1, mode::exclusive);
        return lock;
    };
    lock_state readers = state_under(wedge::rw_policy::reader_preferring);
    CHECK(!readers.has_queue());
    CHECK(readers.can_acquire(2, mode::shared));
    lock_state writers = state_under(wedge::rw_policy::writer_preferring);
    writers.enqueue(2, mode::shared);
    writers.enqueue(3, mode::exclusive);
    CHECK(!writers.can_acquire(2, mode::shared));
    writers.release(0);
    CHECK(!writers.can_acquire(2, mode::shared));
    CHECK(writers.can_acquire(3, mode::exclusive));  // writers may pass each other
    lock_state fifo = state_under(wedge::rw_policy::fifo);
    fifo.enqueue(2, mode::exclusive);
    fifo.release(0);
    CHECK(!fifo.can_acquire(2, mode::exclusive));
}

TEST_CASE("lock_state: in a qrwlock only readers in an interrupt pass a waiting writer") {
    lock_state lock(lock_kind::qrwlock);
    lock.acquire(0, mode::shared);
    lock.enqueue(1, mode::exclusive);
    CHECK(!lock.can_acquire(2, mode::shared));
    CHECK(lock.can_acquire(2, mode::recursive_shared));
}

TEST_CASE("lock_state: a semaphore has one hold per unit, a completion may open forever") {
    lock_state units(lock_kind::semaphore);
    units.reset(lock_kind::semaphore, 1);
    REQUIRE(units.can_acquire(0, mode::exclusive));
    units.acquire(0, mode::exclusive);
    CHECK(!units.can_acquire(1, mode::exclusive));
    units.give(2);
    units.acquire(1, mode::exclusive);
    CHECK(units.count() == 1);
    units.give(wedge::for_good);
    units.acquire(0, mode::exclusive);
    units.give(1);
    CHECK(units.count() == wedge::for_good);
}

TEST_CASE("lock_state: an old ticket wounds a young holder, which backs off where it blocks") {
    lock_state a(lock_kind::ww_mutex);
    const wedge::ticket_terms young{.age = 2};
    const wedge::ticket_terms old{.age = 1, .may_back_off = true};
    REQUIRE(a.ww_acquire(0, young, false) == wedge::ww_progress::taken);
    CHECK(a.ww_acquire(1, old, false) == wedge::ww_progress::waits);
    CHECK(a.is_wounded(0));
    lock_state b(lock_kind::ww_mutex);
    b.acquire(2, mode::exclusive);
    const wedge::ticket_terms again{.age = 2, .may_back_off = true};
    CHECK(b.ww_acquire(0, again, true) == wedge::ww_progress::backs_off);
    CHECK(!b.is_queued(0));
}

TEST_CASE("lock_state: a ticket without locks wounds no ticket and never backs off") {
    lock_state a(lock_kind::ww_mutex);
    a.ww_acquire(0, {.age = 2}, false);
    CHECK(a.ww_acquire(1, {.age = 1}, true) == wedge::ww_progress::waits);
    CHECK(!a.is_wounded(0));
}

TEST_CASE("lock_state: a young ticket dies before an old holder, and behind an old waiter") {
    lock_state a(lock_kind::ww_mutex);
    const auto terms = [](std::uint64_t age) {
        return wedge::ticket_terms{.age = age, .may_back_off = true, .is_wait_die = true};
    };
    a.ww_acquire(0, terms(2), false);
    CHECK(a.ww_acquire(1, terms(3), false) == wedge::ww_progress::backs_off);
    CHECK(a.ww_acquire(2, terms(1), false) == wedge::ww_progress::waits);
    CHECK(!a.is_wounded(0));
    lock_state b(lock_kind::ww_mutex);
    b.ww_acquire(0, terms(4), false);
    CHECK(b.ww_acquire(1, terms(3), false) == wedge::ww_progress::waits);
    CHECK(b.ww_acquire(2, terms(1), false) == wedge::ww_progress::waits);
    CHECK(b.must_back_off(1, terms(3), false));  // the older ticket queued in front of it
    CHECK(b.queue().front().task == 2);
}

TEST_CASE(
    "lock_state: waiters of a ww_mutex are served by age, newcomers may overtake and are wounded") {
    lock_state a(lock_kind::ww_mutex);
    a.acquire(9, mode::exclusive);
    a.ww_acquire(0, {}, false);
    a.ww_acquire(1, {.age = 5, .may_back_off = true}, false);
    a.ww_acquire(2, {.age = 3, .may_back_off = true}, false);
    a.release(9);
    CHECK(a.can_acquire(0, mode::exclusive));  // it came first and has no age
    CHECK(!a.can_acquire(2, mode::exclusive));
    CHECK(a.ww_acquire(3, {.age = 4}, false) == wedge::ww_progress::taken);
    CHECK(a.is_wounded(3));
}
