// The order that makes most searches for cycles unnecessary, compared with searches without it.
#include "wedge/order/topological_order.hpp"

#include <set>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "wedge/core/rng.hpp"
#include "wedge/order/cycle_search.hpp"

#include "support/trials.hpp"

namespace {

using wedge::mode;
using wedge::order_graph;

bool leads(const order_graph& graph, std::uint32_t start, std::uint32_t goal) {
    std::set<std::uint32_t> seen{start};
    std::vector<std::uint32_t> open{start};
    while (!open.empty()) {
        const std::uint32_t node = open.back();
        open.pop_back();
        if (node == goal) return true;
        for (const std::uint32_t e : graph.node_at(node).out)
            if (seen.insert(graph.edge_at(e).to).second) open.push_back(graph.edge_at(e).to);
    }
    return false;
}

/// Returns an order in which all nodes share one place, so that every edge is searched.
wedge::topological_order no_order(std::uint32_t nodes) {
    order_graph ring;
    wedge::topological_order made;
    for (std::uint32_t i = 0; i < nodes; ++i) ring.find_or_add_node(i + 1, 0);
    for (std::uint32_t i = 0; i < nodes; ++i)
        made.add(ring, ring.add(i, (i + 1) % nodes, {}, 1).edge);
    return made;
}

constexpr std::uint32_t nodes_max = 40;

/// Adds random edges and checks each. Most follow one order, so that cycles come late.
struct growing {
    explicit growing(std::uint32_t seed) : random(seed) {}

    void step(std::uint32_t nodes, unsigned one_in) {
        std::uint32_t from = random.below(nodes);
        std::uint32_t to = random.below(nodes);
        if (from * 7 % nodes > to * 7 % nodes && random.below(one_in) != 0) std::swap(from, to);
        static constexpr mode modes[] = {mode::exclusive, mode::shared, mode::recursive_shared};
        wedge::observation seen;
        seen.held.how = modes[random.below(3)];
        seen.wanted.how = modes[random.below(3)];
        const std::uint8_t bit = wedge::edge_mask::of(seen.held.how, seen.wanted.how);
        from = graph.find_or_add_node(from + 1, 0);
        to = graph.find_or_add_node(to + 1, 0);
        const order_graph::added added = graph.add(from, to, std::move(seen), 16);
        const bool shares = order.add(graph, added.edge);
        REQUIRE(shares == leads(graph, to, from));
        cycles += shares ? 1 : 0;
        if (!added.has_new_mode) return;
        const auto found = search.run(graph, order, added.edge, bit);
        const auto plain = unfiltered.run(graph, none, added.edge, bit);
        REQUIRE(found.cycles == plain.cycles);
        REQUIRE(found.count == plain.count);
        deadlocks += found.cycles.empty() ? 0 : 1;
    }

    const wedge::topological_order none = no_order(nodes_max);
    wedge::cycle_search unfiltered;
    wedge::rng random;
    order_graph graph;
    wedge::topological_order order;
    wedge::cycle_search search;
    int cycles = 0;
    int deadlocks = 0;
};

}  // namespace

TEST_CASE("topological order: nodes share a place exactly on a cycle, and the search misses none") {
    int harmless = 0;
    for (std::uint32_t seed = 1; seed <= wedge::trials(150); ++seed) {
        growing made(seed);
        for (int i = 0; i < 120; ++i) made.step(24, 1 + seed % 40);
        harmless += made.cycles - made.deadlocks;
    }
    CHECK(harmless > int(wedge::trials(100)));  // otherwise recursive reads were not tested
}

TEST_CASE("topological order: it starts again when its graph is cleared") {
    growing made(1);
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 60; ++i) made.step(8 + static_cast<std::uint32_t>(round), 20);
        made.graph.clear();
        made.order.clear();
    }
    CHECK(made.cycles > 0);
}
