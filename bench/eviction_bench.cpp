// The eviction storm of a device on real threads: with the order checker, and without it.
//
// Compare rows of one run with equal numbers of threads.
#include <cstdint>

#include <benchmark/benchmark.h>

#include "wedge/core/rng.hpp"
#include "wedge/model/device_list.hpp"
#include "wedge/wedge.hpp"

#include "support/run.hpp"

namespace {

using storm_device = wedge::device<wedge::design::upstream>;

/// Half of the calls evict or reclaim, the others fault and unmap.
void storm(storm_device& device, std::uint32_t draw) {
    switch (draw % 4) {
        case 0: return device.fault(draw / 4 % 4);
        case 1: return device.unmap();
        case 2: return device.evict(draw / 4 % 4);
        default: return device.kswapd(draw / 4 % 2);
    }
}

template <bool Checked>
void eviction_storm(benchmark::State& state) {
    static storm_device device;
    wedge::task& self = wedge::current();
    wedge::sink* const before = self.sink;
    if (!Checked) self.sink = nullptr;
    wedge::rng random(static_cast<std::uint64_t>(state.thread_index()) + 1);
    for (auto _ : state) storm(device, random.below(1'000));
    self.sink = before;
}
void checked(benchmark::State& state) {
    eviction_storm<true>(state);
}
void unchecked(benchmark::State& state) {
    eviction_storm<false>(state);
}

BENCHMARK(unchecked)->ThreadRange(1, 16)->UseRealTime();
BENCHMARK(checked)->ThreadRange(1, 16)->UseRealTime();

}  // namespace

BENCH_MAIN()
