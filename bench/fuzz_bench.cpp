// Inputs per second of the fuzzing loop: programs of 32 calls on 4 tasks, of bare locks and of the
// sound device, the whole loop with mutation and feedback, and the same programs on real threads.
// With a sanitizer, build it as fuzz targets are built:
//
//     clang++ -O2 -fsanitize=thread -fsanitize-ignorelist=cmake/fuzz_uninstrumented.txt …
#include <chrono>

#include <benchmark/benchmark.h>

#include "wedge/fuzz/engine.hpp"
#include "wedge/model/device.hpp"
#include "wedge/stress.hpp"

#include "support/run.hpp"

namespace {

using driver = wedge::device<wedge::design::upstream>;

/// Each call takes one lock, or two in order: the least that a call can be.
struct bare {
    wedge::mutex first{"first"}, second{"second"};

    void one(std::uint32_t which) { const wedge::guard held(which % 2 == 0 ? first : second); }
    void both() {
        const wedge::guard outer(first);
        const wedge::guard inner(second);
    }
    static constexpr auto actions =
        wedge::actions(wedge::action<&bare::one>{"one"}, wedge::action<&bare::both>{"both"});
};

wedge::action_program long_program(std::uint64_t seed, std::uint32_t actions) {
    wedge::rng random(seed);
    wedge::action_program made;
    made.tasks = 4;
    for (unsigned i = 0; i < wedge::action_program::records_max; ++i)
        made.records.push_back({static_cast<std::uint8_t>(i % 4),
                                static_cast<std::uint8_t>(random.below(actions)),
                                static_cast<std::uint8_t>(random.below(4))});
    for (unsigned i = 0; i < 64; ++i)
        made.answers.push_back(static_cast<std::uint8_t>(random.below(8) == 0 ? 1 : 0));
    return made;
}

template <class W, std::uint32_t Actions>
void thirty_two_calls(benchmark::State& state) {
    wedge::fuzz_group group({wedge::fuzz_design_of<W>()});
    std::vector<std::vector<std::uint8_t>> inputs;
    for (std::uint64_t seed = 0; seed < 64; ++seed)
        inputs.push_back(wedge::encode(long_program(seed, Actions)));
    std::size_t i = 0;
    for (auto _ : state) benchmark::DoNotOptimize(group.run(inputs[i++ % inputs.size()]));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK_TEMPLATE(thirty_two_calls, bare, 2);
BENCHMARK_TEMPLATE(thirty_two_calls, driver, 6);

void whole_loop(benchmark::State& state) {
    wedge::fuzz_group group({wedge::fuzz_design_of<driver>()});
    wedge::fuzz_engine engine(group, 1);
    for (auto _ : state) benchmark::DoNotOptimize(engine.step());
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(whole_loop);

/// As fuzz/replay.cpp runs them: on four threads that serve all inputs.
template <class W, std::uint32_t Actions>
void on_real_threads(benchmark::State& state) {
    std::vector<std::vector<wedge::action_record>> tasks;
    wedge::split_by_task(long_program(1, Actions), tasks);
    wedge::stress_options how;
    how.threads = static_cast<unsigned>(tasks.size());
    how.calls = wedge::program_of(tasks, wedge::action_names<W>());
    how.calls_max = tasks.front().size();
    wedge::thread_pool threads;
    how.threads_of = &threads;
    for (auto _ : state) benchmark::DoNotOptimize(wedge::stress<W>(how).what.findings.size());
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK_TEMPLATE(on_real_threads, bare, 2)->UseRealTime();
BENCHMARK_TEMPLATE(on_real_threads, driver, 6)->UseRealTime();

}  // namespace

BENCH_MAIN()
