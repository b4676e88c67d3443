// Inputs a second of the fuzzing loop: programs of 32 calls on 4 tasks of the sound device, and the
// whole loop with mutation and feedback.
#include <benchmark/benchmark.h>

#include "wedge/fuzz/engine.hpp"
#include "wedge/model/device.hpp"

namespace {

using driver = wedge::device<wedge::design::upstream>;

std::vector<std::uint8_t> long_program(std::uint64_t seed) {
    wedge::rng random(seed);
    wedge::action_program made;
    made.tasks = 4;
    for (unsigned i = 0; i < wedge::action_program::records_max; ++i)
        made.records.push_back({static_cast<std::uint8_t>(i % 4),
                                static_cast<std::uint8_t>(random.below(6)),
                                static_cast<std::uint8_t>(random.below(4))});
    for (unsigned i = 0; i < 64; ++i)
        made.answers.push_back(static_cast<std::uint8_t>(random.below(8) == 0 ? 1 : 0));
    return wedge::encode(made);
}

void thirty_two_calls(benchmark::State& state) {
    wedge::fuzz_group& group = wedge::fuzz_group_of<driver>();
    std::vector<std::vector<std::uint8_t>> inputs;
    for (std::uint64_t seed = 0; seed < 64; ++seed) inputs.push_back(long_program(seed));
    std::size_t i = 0;
    for (auto _ : state) benchmark::DoNotOptimize(group.run(inputs[i++ % inputs.size()]));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(thirty_two_calls);

void whole_loop(benchmark::State& state) {
    wedge::fuzz_engine engine(wedge::fuzz_group_of<driver>(), 1);
    for (auto _ : state) benchmark::DoNotOptimize(engine.step());
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(whole_loop);

}  // namespace
