#include "wedge/core/lock_class.hpp"

#include <atomic>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

TEST_CASE("lock_class: a name is one class, and the name is copied") {
    char text[] = "copied";
    const wedge::lock_class first(text);
    std::strcpy(text, "reused");
    const wedge::lock_class other(text);
    CHECK(first.name() == "copied");
    CHECK(other.name() == "reused");
    CHECK(first == wedge::lock_class("copied"));
    CHECK(first != other);
}

TEST_CASE("lock_class: a place of construction is a class") {
    const wedge::site here{"dir/file.cpp", "f", 12};
    CHECK(wedge::lock_class::at(here) == wedge::lock_class::at(here));
    CHECK(wedge::lock_class::at(here).name() == "lock@dir/file.cpp:12");
}

TEST_CASE("lock_class: threads that name classes at once get the same numbers") {
    constexpr unsigned names = 300;
    std::vector<std::vector<std::uint32_t>> ids(4);
    std::vector<std::thread> threads;
    for (std::vector<std::uint32_t>& mine : ids)
        threads.emplace_back([&mine] {
            for (unsigned i = 0; i < names; ++i)
                mine.push_back(wedge::lock_class(("shared " + std::to_string(i)).c_str()).id());
        });
    for (std::thread& each : threads) each.join();
    for (const std::vector<std::uint32_t>& mine : ids) CHECK(mine == ids[0]);
    for (unsigned i = 0; i < names; ++i)
        CHECK(wedge::lock_class::from_id(ids[0][i]).name() == "shared " + std::to_string(i));
}

TEST_CASE(
    "lock_class: the child of a fork can make classes, also if another thread was making a class") {
    std::atomic<bool> done{false};
    std::thread other([&] {
        for (int i = 0; !done; ++i)
            wedge::lock_class(("forked beside " + std::to_string(i)).c_str());
    });
    int failed = 0;
    for (int i = 0; i < 50; ++i) {
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            ::alarm(20);  // a child that waits forever fails the test
            wedge::lock_class(("forked child " + std::to_string(i)).c_str());
            ::_exit(0);
        }
        int status = 1;
        ::waitpid(child, &status, 0);
        failed += status == 0 ? 0 : 1;
    }
    done = true;
    other.join();
    CHECK(failed == 0);
}
