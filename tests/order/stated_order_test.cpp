#include "wedge/order/stated_order.hpp"

#include <string>

#include <doctest/doctest.h>

#include "wedge/core/signature.hpp"
#include "wedge/order/checker.hpp"

namespace stated_order_test {

using namespace wedge;

const lock_class table("stated table");
const lock_class entry("stated entry");
const lock_class log("stated log");

lock_use use(lock_class of) {
    lock_use made;
    made.class_name = of.name();
    made.class_id = of.id();
    return made;
}

/// Returns the cycle that `wanted` closes when it is taken under `held`.
std::string closed_by(const checker& order, lock_class held, lock_class wanted) {
    return cycle_signature(stated_order(order.graph()).closed_by({use(held), use(wanted), "t"}));
}

TEST_CASE("stated order: an acquire against it closes a cycle, another acquire does not") {
    checker order(evidence::exact);
    order.prime({{table}, {entry}});
    CHECK(closed_by(order, entry, table) == "stated entry/EE stated table/EE");
    CHECK(closed_by(order, table, entry).empty());
    CHECK(closed_by(order, table, table).empty());
    CHECK(closed_by(order, log, table).empty());
}

TEST_CASE("stated order: statements are combined") {
    checker order(evidence::exact);
    order.prime({{table}, {entry}});
    order.prime({{entry}, {log}});
    CHECK(closed_by(order, log, table) == "stated entry/EE stated log/EE stated table/EE");
}

TEST_CASE("stated order: contradicting statements do not count") {
    checker order(evidence::exact);
    order.prime({{table}, {entry}});
    order.prime({{entry}, {table}});
    CHECK(closed_by(order, entry, table).empty());
    CHECK(closed_by(order, table, entry).empty());
}

}  // namespace stated_order_test
