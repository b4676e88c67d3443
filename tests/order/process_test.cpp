// The checker of a live program.
#include "wedge/order/process.hpp"

#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wedge/core/steps.hpp"
#include "wedge/implement/order.hpp"

#include "support/order_checks.hpp"

namespace {

using notation::collector;
using wedge::lock_identity;

void nest(lock_identity& outer, lock_identity& inner) {
    wedge::task& self = wedge::current();
    for (lock_identity* lock : {&outer, &inner}) {
        wedge::detail::attempt(self, *lock, {.where = wedge::site::current()});
        wedge::detail::acquired(self, *lock, {.where = wedge::site::current()});
    }
    for (lock_identity* lock : {&inner, &outer})
        wedge::detail::released(self, *lock, wedge::mode::exclusive, wedge::site::current());
}

collector& heard() {
    static collector& made = *new collector;
    wedge::on_finding(made);
    return made;
}

}  // namespace

TEST_CASE("process: the checker hears threads without any set-up") {
    CHECK(wedge::current().sink == &wedge::process_checker());
    collector& found = heard();
    const std::size_t before = found.all.size();
    lock_identity a(wedge::lock_kind::mutex, wedge::lock_class("process a"));
    lock_identity b(wedge::lock_kind::mutex, wedge::lock_class("process b"));
    nest(a, b);
    std::thread([&] { nest(a, b); }).join();
    CHECK(found.all.size() == before);
    std::thread([&] { nest(b, a); }).join();
    REQUIRE(found.all.size() == before + 1);
    CHECK(found.all.back().what == "process b -> process a here, process a -> process b before");
    CHECK_FALSE(found.all.back().exact);
    CHECK_FALSE(found.all.back().graded.one_task);
}

TEST_CASE("process: a thread that ends with a lock held is a finding") {
    collector& found = heard();
    const std::size_t before = found.all.size();
    lock_identity lock(wedge::lock_kind::mutex, wedge::lock_class("process left"));
    for (const bool leaves : {false, true}) {
        std::thread([&] {
            wedge::detail::attempt(wedge::current(), lock, {.where = wedge::site::current()});
            wedge::detail::acquired(wedge::current(), lock, {.where = wedge::site::current()});
            if (!leaves)
                wedge::detail::released(wedge::current(), lock, wedge::mode::exclusive, {});
        }).join();
        CHECK(found.all.size() == before + (leaves ? 1 : 0));
    }
    CHECK(found.all.back().kind == wedge::finding_kind::held_at_exit);
}

TEST_CASE("process: the child of a fork keeps checking") {
    collector& found = heard();
    lock_identity a(wedge::lock_kind::mutex, wedge::lock_class("fork a"));
    lock_identity b(wedge::lock_kind::mutex, wedge::lock_class("fork b"));
    nest(a, b);
    const std::size_t before = found.all.size();
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        nest(b, a);
        ::_exit(found.all.size() == before + 1 ? 0 : 1);
    }
    int status = 1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    CHECK(found.all.size() == before);
}

TEST_CASE("process: the default sink writes a finding in one piece") {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const int saved = ::dup(2);
    ::dup2(ends[1], 2);
    wedge::finding found;
    found.kind = wedge::finding_kind::unlock_imbalance;
    found.what = "a released by a task that does not hold it";
    wedge::detail::stderr_sink().on(found);
    ::dup2(saved, 2);
    char text[200] = {};
    const auto size = ::read(ends[0], text, sizeof text - 1);
    for (const int fd : {ends[0], ends[1], saved}) ::close(fd);
    CHECK(size > 0);
    CHECK(std::string(text) == "unlock-imbalance: a released by a task that does not hold it\n");
}
