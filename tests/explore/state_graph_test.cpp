#include "wedge/explore/strategy/state_graph.hpp"

#include <doctest/doctest.h>

namespace {

constexpr std::uint64_t a = wedge::state_graph::bit_of(0);
constexpr std::uint64_t b = wedge::state_graph::bit_of(1);

}  // namespace

TEST_CASE("state graph: a circle in which everybody moves who can is fair") {
    wedge::state_graph graph;
    graph.add_state(a | b);
    graph.add_state(a | b);
    graph.add_step(0, 1, 0);
    CHECK(!graph.has_fair_circle());
    graph.add_step(1, 0, 1);
    CHECK(graph.has_fair_circle());
}

TEST_CASE("state graph: a circle that starves a task is none") {
    wedge::state_graph graph;
    graph.add_state(a | b);
    graph.add_state(a);
    graph.add_step(0, 0, 0);  // a goes round while b could move
    graph.add_step(0, 1, 1);
    CHECK(!graph.has_fair_circle());
}

TEST_CASE("state graph: a fair circle within one that starves somebody") {
    wedge::state_graph graph;
    graph.add_state(a | b);
    graph.add_state(a);
    graph.add_state(a);
    graph.add_step(0, 1, 0);
    graph.add_step(1, 0, 0);
    CHECK(!graph.has_fair_circle());
    graph.add_step(1, 2, 0);
    graph.add_step(2, 1, 0);
    CHECK(graph.has_fair_circle());
}
