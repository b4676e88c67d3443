// The cost of the order checker's own work by size: new orders, large graphs, resets.
//
// bench_peers compares locks with and without the checker.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "wedge/core/rng.hpp"
#include "wedge/order/checker.hpp"
#include "wedge/wedge.hpp"

#include "support/classes.hpp"
#include "support/run.hpp"

using bench::enter;
using bench::identities;
using bench::leave;
using bench::make_classes;
using bench::nest;

namespace {

using edge_list = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

/// Makes four edges per class, along an order that is unrelated to the order of their discovery.
edge_list sparse_edges(std::uint32_t classes) {
    wedge::rng random(1);
    std::vector<std::uint32_t> order(classes);
    std::iota(order.begin(), order.end(), 0U);
    for (std::uint32_t i = classes; i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
    edge_list made;
    while (made.size() < std::size_t{classes} * 4) {
        const std::uint32_t a = random.below(classes);
        const std::uint32_t b = random.below(classes);
        if (a != b) made.emplace_back(order[std::min(a, b)], order[std::max(a, b)]);
    }
    return made;
}

/// The first sight of each of 1,596 edges: every pair of 57 classes; with argument 1 its stack too.
void fresh_edges(benchmark::State& state) {
    identities locks = make_classes(57);
    wedge::checker checker(wedge::evidence::classes);
    checker.keep_stacks(state.range(0) != 0);
    wedge::task self;
    self.sink = &checker;
    std::int64_t edges = 0;
    for (auto _ : state) {
        checker.reset();
        for (std::size_t i = 0; i < locks.size(); ++i)
            for (std::size_t j = i + 1; j < locks.size(); ++j) nest(self, locks[i], locks[j]);
        edges += checker.graph().edges();
    }
    state.counters["edge"] = benchmark::Counter(
        static_cast<double>(edges), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

/// The first sight of an edge as the graph grows.
void growing_graph(benchmark::State& state) {
    const auto classes = static_cast<std::uint32_t>(state.range(0));
    identities locks = make_classes(classes);
    const edge_list all = sparse_edges(classes);
    std::int64_t edges = 0;
    for (auto _ : state) {
        wedge::checker checker(wedge::evidence::classes);
        wedge::task self;
        self.sink = &checker;
        for (const auto& [from, to] : all) nest(self, locks[from], locks[to]);
        edges += checker.graph().edges();
    }
    state.counters["edge"] = benchmark::Counter(
        static_cast<double>(edges), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

/// A validated pair under one held lock, while the checker knows a number of classes.
void pair_in_graph(benchmark::State& state) {
    const auto classes = static_cast<std::uint32_t>(state.range(0));
    identities locks = make_classes(classes);
    wedge::checker checker(wedge::evidence::classes);
    wedge::task self;
    self.sink = &checker;
    for (const auto& [from, to] : sparse_edges(classes)) nest(self, locks[from], locks[to]);
    enter(self, locks[0]);
    for (auto _ : state) {
        enter(self, locks[1]);
        leave(self, locks[1]);
    }
    leave(self, locks[0]);
}

/// One edge between two classes with a number of locks each, where each pair of locks is
/// distinguished.
void exact_instances(benchmark::State& state) {
    const auto count = static_cast<std::size_t>(state.range(0));
    identities outer;
    identities inner;
    for (std::size_t i = 0; i < count; ++i) {
        outer.emplace_back(wedge::lock_kind::mutex, wedge::lock_class("exact outer"));
        inner.emplace_back(wedge::lock_kind::mutex, wedge::lock_class("exact inner"));
    }
    wedge::checker checker(wedge::evidence::exact);
    wedge::task self;
    self.sink = &checker;
    for (auto _ : state) {
        checker.reset();
        for (std::size_t i = 0; i < count; ++i) nest(self, outer[i], inner[i]);
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
}

/// A reset after a number of new edges.
void reset(benchmark::State& state) {
    const auto classes = static_cast<std::size_t>(state.range(0));
    identities locks = make_classes(classes + 1);
    wedge::checker checker(wedge::evidence::exact);
    wedge::task self;
    self.sink = &checker;
    for (auto _ : state) {
        for (std::size_t i = 0; i < classes; ++i) nest(self, locks[i], locks[i + 1]);
        checker.reset();
    }
    state.SetItemsProcessed(state.iterations());
}

/// Many short repetitions, so that the rest of the machine disturbs only some of them.
void short_rows(benchmark::internal::Benchmark* rows) {
    rows->Repetitions(200)->MinTime(0.0005)->ReportAggregatesOnly();
    rows->ComputeStatistics("min", [](const std::vector<double>& all) {
        return *std::min_element(all.begin(), all.end());
    });
}

BENCHMARK(pair_in_graph)->Arg(100)->Arg(1000)->Arg(10000)->Apply(short_rows);
BENCHMARK(fresh_edges)->Arg(0)->Arg(1)->Apply(short_rows);
BENCHMARK(growing_graph)->Arg(100)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);
BENCHMARK(exact_instances)->Arg(100)->Arg(1000)->Arg(10000);
BENCHMARK(reset)->Arg(0)->Arg(1)->Arg(10)->Arg(100)->Apply(short_rows);

}  // namespace

// Repetitions of different rows take turns: the rows of one run see the same machine.
BENCH_MAIN("--benchmark_enable_random_interleaving=true")
