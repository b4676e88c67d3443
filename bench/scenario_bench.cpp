// Checking generated scenarios, as tasks and locks grow: parsing, the order pass, the search over
// states; and beside it SPIN's search of the same programs in Promela, where spin is installed.
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>

#include <benchmark/benchmark.h>

#include "wedge/scenario/check.hpp"
#include "wedge/scenario/parse.hpp"

#include "support/generated.hpp"
#include "support/run.hpp"

namespace {

bench::program generated(const benchmark::State& state) {
    return bench::generated(static_cast<std::uint32_t>(state.range(0)),
                            static_cast<std::uint32_t>(state.range(1)));
}

wedge::scenario::document document_of(const benchmark::State& state) {
    return wedge::scenario::parse(bench::scenario_text(generated(state), state.range(1)),
                                  "bench.wedge");
}

void parse(benchmark::State& state) {
    const std::string text = bench::scenario_text(generated(state), state.range(1));
    for (auto _ : state) benchmark::DoNotOptimize(wedge::scenario::parse(text, "bench.wedge"));
}

void order_only(benchmark::State& state) {
    const wedge::scenario::document all = document_of(state);
    wedge::scenario::check_options options;
    options.is_order_only = true;
    for (auto _ : state) benchmark::DoNotOptimize(wedge::scenario::check(all, options));
}

void check(benchmark::State& state) {
    const wedge::scenario::document all = document_of(state);
    wedge::scenario::check_options options;
    options.explore.executions_max = ~std::uint64_t{0};
    std::uint64_t states = 0;
    for (auto _ : state) {
        const wedge::scenario::check_result result = wedge::scenario::check(all, options);
        if (result.what != "sound") state.SkipWithError(("it is " + result.what).c_str());
        states = result.found.states;
    }
    state.counters["states"] = static_cast<double>(states);
}

/// Measures pan's run alone, including its start, with tables of a fitting size. The time to
/// compile pan is reported separately.
void spin(benchmark::State& state) {
    const bench::scratch_folder folder;
    std::ofstream(folder.path() / "bench.pml")
        << bench::promela_text(generated(state), state.range(1));
    const std::string in_folder = "cd '" + folder.path().string() + "' && ";
    const double compiling = bench::seconds_of(
        in_folder + "spin -a bench.pml >/dev/null && cc -O2 -DSAFETY -w -o pan pan.c");
    if (compiling < 0) return state.SkipWithError("spin or the compiler failed");
    for (auto _ : state) {
        const double running = bench::seconds_of(in_folder + "./pan -m1000 -w18 >report");
        if (running < 0) return state.SkipWithError("pan failed");
        state.SetIterationTime(running);
    }
    state.counters["states"] = bench::states_stored(folder.path() / "report");
    state.counters["compiling_s"] = compiling;
}

/// The sizes: first the number of tasks grows, then that of the locks.
void sizes(benchmark::internal::Benchmark* bench) {
    bench->ArgNames({"tasks", "locks"})->Unit(benchmark::kMicrosecond);
    for (const std::int64_t tasks : {2, 3, 4, 5, 6, 7, 8}) bench->Args({tasks, 5});
    for (const std::int64_t locks : {2, 3, 4, 6, 7, 8}) bench->Args({6, locks});
}

BENCHMARK(parse)->Apply(sizes);
BENCHMARK(order_only)->Apply(sizes);
BENCHMARK(check)->Apply(sizes);

const bool has_spin = [] {
    if (bench::seconds_of("command -v spin >/dev/null") < 0) {
        std::fputs("scenario_bench: no spin here, so nothing is measured beside it\n", stderr);
        return false;
    }
    benchmark::RegisterBenchmark("spin", spin)->Apply(sizes)->UseManualTime();
    return true;
}();

}  // namespace

BENCH_MAIN()
