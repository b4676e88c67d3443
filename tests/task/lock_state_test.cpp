#include "wedge/task/lock_state.hpp"

#include <doctest/doctest.h>

using wedge::lock_kind;
using wedge::lock_state;
using wedge::mode;

TEST_CASE("lock_state: a mutex excludes, its holder too") {
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

TEST_CASE("lock_state: queued readers next to each other go in together") {
    lock_state lock(lock_kind::shared_mutex);
    lock.acquire(0, mode::exclusive);
    lock.enqueue(1, mode::shared);
    lock.enqueue(2, mode::shared);
    lock.release(0);
    CHECK(lock.can_acquire(2, mode::shared));
    lock.acquire(1, mode::shared);
    CHECK(lock.can_acquire(2, mode::shared));
}

TEST_CASE("lock_state: in an rwlock a reader waits only for a writer that holds it") {
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
