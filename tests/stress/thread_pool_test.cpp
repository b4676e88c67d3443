#include "wedge/stress/thread_pool.hpp"

#include <atomic>
#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/wait.h>

namespace thread_pool_test {

void finish(wedge::thread_pool& pool) {
    while (!pool.wait_for(std::chrono::hours(1))) {
    }
}

std::vector<std::thread::id> ids_of_a_job(wedge::thread_pool& pool, unsigned count) {
    std::vector<std::thread::id> ids(count);
    pool.start(count, [&ids](unsigned i) { ids[i] = std::this_thread::get_id(); });
    finish(pool);
    return ids;
}

}  // namespace thread_pool_test

TEST_CASE("thread pool: each part of a job runs on its own thread, and the next job reuses them") {
    wedge::thread_pool pool;
    const auto first = thread_pool_test::ids_of_a_job(pool, 3);
    CHECK(std::set(first.begin(), first.end()).size() == 3);
    CHECK(thread_pool_test::ids_of_a_job(pool, 3) == first);
    const auto more = thread_pool_test::ids_of_a_job(pool, 4);
    CHECK(std::vector(more.begin(), more.end() - 1) == first);
    CHECK(thread_pool_test::ids_of_a_job(pool, 1)[0] == first[0]);
}

TEST_CASE("thread pool: what a job has written is visible when all parts have ended") {
    wedge::thread_pool pool;
    for (int round = 0; round < 200; ++round) {
        int values[2] = {round, round};
        pool.start(2, [&values](unsigned i) { ++values[i]; });
        thread_pool_test::finish(pool);
        CHECK(values[0] == round + 1);
        CHECK(values[1] == round + 1);
    }
}

TEST_CASE("thread pool: it serves jobs after give_up, and abandoned threads may end") {
    wedge::thread_pool pool;
    std::atomic<bool> is_let_go{false};
    std::atomic<int> ended{0};
    pool.start(2, [&](unsigned i) {
        if (i == 0)
            while (!is_let_go.load()) ::sched_yield();
        ++ended;
    });
    CHECK_FALSE(pool.wait_for(std::chrono::microseconds(1)));
    pool.give_up();
    CHECK(thread_pool_test::ids_of_a_job(pool, 2).size() == 2);
    is_let_go = true;
    while (ended.load() != 2) ::sched_yield();
}

#if !defined(WEDGE_TSAN)  // it ends a child of a threaded process that makes threads
TEST_CASE("thread pool: a child made by fork makes its own threads") {
    wedge::thread_pool pool;
    thread_pool_test::ids_of_a_job(pool, 2);
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(60);
        ::_exit(thread_pool_test::ids_of_a_job(pool, 2).size() == 2 ? 7 : 8);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 7);
    thread_pool_test::ids_of_a_job(pool, 2);
}
#endif
