#include "wedge/explore/verdict/real_cycle.hpp"

#include <doctest/doctest.h>

namespace real_cycle_test {

using namespace wedge;

namespace {

lock_use use(const char* name, bool is_pseudo = false) {
    const lock_class cls(name, {.never_waits = is_pseudo});
    lock_use made;
    made.class_name = name;
    made.class_id = cls.id();
    return made;
}
const lock_use a = use("real a");
const lock_use b = use("real b");
const lock_use map = use("pseudo map", true);

/// A deadlock of a cycle of tasks. The first task runs within the pseudo-lock, or outside of it.
finding stuck_at(std::vector<dependency> cycle, bool in_map) {
    finding stuck;
    stuck.cycle = std::move(cycle);
    stuck.tasks.resize(1);
    if (in_map) stuck.tasks[0].held.push_back(map);
    return stuck;
}

}  // namespace

TEST_CASE("real cycle: a pseudo-lock between two locks is left out") {
    const std::vector<dependency> cycle = real_cycle({{map, b, "x"}, {b, a, "y"}, {a, map, "z"}});
    REQUIRE(cycle.size() == 2);
    CHECK(cycle[0].held.class_id == b.class_id);
    CHECK(cycle[1].held.class_id == a.class_id);
    CHECK(cycle[1].wanted.class_id == b.class_id);
    CHECK(real_cycle({{a, b, "x"}, {b, a, "y"}}).size() == 2);
    CHECK(real_cycle({{map, map, "x"}}).empty());
}

TEST_CASE("real cycle: a deadlock through the pseudo-lock confirms the cycle") {
    const std::vector<dependency> cycle{{a, map, "x"}, {map, a, "y"}};
    CHECK(is_reached_through_pseudo_locks(cycle, stuck_at({{a, a, "x"}}, true)));
    CHECK(is_reached_through_pseudo_locks(cycle, stuck_at({{a, a, "x"}, {a, a, "y"}}, true)));
    CHECK(!is_reached_through_pseudo_locks(cycle, stuck_at({{a, a, "x"}}, false)));
    CHECK(!is_reached_through_pseudo_locks(cycle, stuck_at({{a, b, "x"}, {b, a, "y"}}, true)));
    CHECK(!is_reached_through_pseudo_locks({{a, b, "x"}, {b, a, "y"}},
                                           stuck_at({{a, b, "x"}, {b, a, "y"}}, true)));
}

}  // namespace real_cycle_test
