// The classes of unnamed locks.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "wedge/wedge.hpp"

#include "support/watched.hpp"

namespace class_identity_test {

using wedge::finding_kind;

namespace {

template <class L>
std::string class_of(const L& lock) {
    return wedge::lock_class::from_id(lock.identity().class_id()).name();
}

struct account {
    wedge::mutex table, log;
    wedge::shared_mutex index;
};
struct shelf {
    wedge::mutex slots[3];
};

struct ward {
    ward() : doors(2), windows(2) {}
    std::vector<wedge::mutex> doors, windows;
};

account* new_account() {
    return new account;
}

}  // namespace

TEST_CASE("class identity: each member has its own class, equal in all objects") {
    const std::unique_ptr<account> first(new_account());
    const std::unique_ptr<account> second(new_account());
    CHECK(class_of(first->table) != class_of(first->log));
    CHECK(class_of(first->table) != class_of(first->index));
    CHECK(class_of(first->table) == class_of(second->table));
    CHECK(class_of(first->log) == class_of(second->log));
    CHECK(class_of(first->table).find("class_identity_test.cpp:") != std::string::npos);
    CHECK(class_of(first->table).find('#') == std::string::npos);
    CHECK(class_of(first->log).find("#2") != std::string::npos);
    watched here;
    const wedge::guard outer(first->table);
    const wedge::guard inner(first->log);
    CHECK(here.findings().empty());
}

TEST_CASE("class identity: each place of an allocation and each container has its own class") {
    const auto one = std::make_unique<wedge::mutex>();
    const auto other = std::make_unique<wedge::mutex>();
    CHECK(class_of(*one) != class_of(*other));
    std::vector<std::unique_ptr<wedge::mutex>> made;
    const volatile int two = 2;  // keeps the compiler from unrolling the loop into two places
    for (int i = 0; i < two; ++i) made.push_back(std::make_unique<wedge::mutex>());
    CHECK(class_of(*made[0]) == class_of(*made[1]));
    std::vector<wedge::mutex> row(4);
    std::vector<wedge::mutex> column(4);
    CHECK(class_of(row[0]) == class_of(row[3]));
#ifndef __OPTIMIZE__  // otherwise it depends on what the compiler inlines
    // The library's own lines say nothing to the user, so the class is named by the user's code.
    const std::unique_ptr<ward> beds(new ward);
    CHECK(class_of(beds->doors[0]) == "lock@class_identity_test::ward::ward");
    CHECK(class_of(beds->windows[0]) == "lock@class_identity_test::ward::ward#2");
    CHECK(class_of(*one).find("/c++/") == std::string::npos);
    CHECK(class_of(row[0]) != class_of(column[0]));
    std::map<int, wedge::mutex> by_number;
    std::map<int, wedge::mutex> by_age;
    for (const int i : {1, 2}) by_number[i];
    by_age[1];
    CHECK(class_of(by_number[1]) == class_of(by_number[2]));
    CHECK(class_of(by_number[1]) != class_of(by_age[1]));
    const shelf of_three;
    CHECK(class_of(of_three.slots[0]) == class_of(of_three.slots[2]));
#endif
}

namespace {

std::vector<wedge::finding> found_in_nestings(bool is_live, wedge::lock_class cls, bool both_ways) {
    std::vector<wedge::finding> all;
    wedge::mutex a(cls);
    wedge::mutex b(cls);
    wedge::checker order(wedge::evidence::classes);
    order.nest_by_instance(is_live);
    wedge::sink* const before = wedge::current().sink;
    wedge::current().sink = &order;
    {
        const wedge::guard outer(a);
        const wedge::guard inner(b);
    }
    if (both_ways) {
        const wedge::guard outer(b);
        const wedge::guard inner(a);
    }
    wedge::current().sink = before;
    return order.findings();
}

}  // namespace

TEST_CASE("class identity: in live programs two instances may nest in one order") {
    const wedge::lock_class cls("registry class");
    CHECK(found_in_nestings(true, cls, false).empty());
    const std::vector<wedge::finding> inverted = found_in_nestings(true, cls, true);
    REQUIRE(inverted.size() == 1);
    CHECK(inverted[0].kind == finding_kind::instance_order);
    // The kernel's rule, and the rule of a class with `one_at_a_time`.
    CHECK(found_in_nestings(false, cls, false).at(0).kind == finding_kind::recursive);
    const wedge::lock_class strict("strict class", {.one_at_a_time = true});
    CHECK(found_in_nestings(true, strict, false).at(0).kind == finding_kind::recursive);
}

TEST_CASE("class identity: taking a lock again is a finding in live programs too") {
    wedge::recursive_mutex again;
    wedge::shared_mutex twice;
    wedge::checker order(wedge::evidence::classes);
    order.nest_by_instance(true);
    wedge::sink* const before = wedge::current().sink;
    wedge::current().sink = &order;
    for (int i = 0; i < 2; ++i) again.lock();
    for (int i = 0; i < 2; ++i) again.unlock();
    CHECK(order.findings().empty());
    for (int i = 0; i < 2; ++i) twice.lock_shared();
    for (int i = 0; i < 2; ++i) twice.unlock_shared();
    wedge::current().sink = before;
    REQUIRE(order.findings().size() == 1);
    CHECK(order.findings()[0].kind == finding_kind::recursive);
}

}  // namespace class_identity_test
