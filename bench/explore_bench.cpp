// Exploration: schedules per second, executions until exhausted and until the bug, cost by size.
//
//     bench_explore_bench --benchmark_counters_tabular=true
#include <cstdint>
#include <string>

#include <benchmark/benchmark.h>

#include "explore/workloads.hpp"
#include "support/run.hpp"
#include "support/search.hpp"

using namespace workloads;
using bench::repeated;
using bench::search;
using bench::sections;
using wedge::strategy;

namespace {

/// Readers and a writer of one lock.
struct readers_writers {
    wedge::shared_mutex lock{"lock"};
    void read() { const wedge::shared_guard held(lock); }
    void write() { const wedge::guard held(lock); }
    static constexpr auto actions = wedge::actions(wedge::action<&readers_writers::read>{"read"},
                                                   wedge::action<&readers_writers::write>{"write"});
};

/// Two objects under a ticket, in one order.
struct ww_pair {
    wedge::ww_class objects{"objects"};
    wedge::ww_mutex a{objects}, b{objects};
    void both() {
        wedge::transaction(objects, [this](wedge::ww_ticket& ticket) {
            const wedge::ww_result got = a.lock(ticket);
            return got == wedge::ww_result::ok ? b.lock(ticket) : got;
        });
    }
    static constexpr auto actions = wedge::actions(wedge::action<&ww_pair::both>{"both"});
};

template <class W>
void measure_rate(benchmark::State& state, const wedge::program& calls, strategy how,
                  bool is_checked) {
    search<W> all(calls, {.how = how}, is_checked);
    const double switches = all.switches();  // it warms up, too
    std::uint64_t steps = 0;
    for (auto _ : state) {
        all.run();
        steps += all.last().steps;
    }
    using benchmark::Counter;
    const auto schedules = static_cast<double>(state.iterations());
    state.counters["schedules"] = Counter(schedules, Counter::kIsRate);
    state.counters["steps"] = Counter(static_cast<double>(steps), Counter::kIsRate);
    state.counters["switches"] = Counter(switches * schedules, Counter::kIsRate);
}

template <class W>
void measure_exhausting(benchmark::State& state, const wedge::program& calls) {
    wedge::outcome done;
    for (auto _ : state)
        done = wedge::explore<W>(calls, {.how = strategy::exhaustive, .executions_max = 1'000'000});
    using benchmark::Counter;
    state.counters["executions"] = static_cast<double>(done.executions);
    state.counters["schedules"] = Counter(static_cast<double>(done.executions + done.pruned),
                                          Counter::kIsIterationInvariantRate);
    state.counters["pruned"] = static_cast<double>(done.pruned);
    state.counters["exhausted"] = done.exhausted ? 1 : 0;
}

/// The mean of 20 seeds. A seed that never finds the bug counts with all its executions.
template <class W>
void measure_finding(benchmark::State& state, const wedge::program& calls, strategy how,
                     std::uint32_t depth) {
    constexpr std::uint64_t seeds = 20;
    constexpr std::uint64_t executions_max = 20'000;
    std::uint64_t executions = 0;
    std::uint64_t found = 0;
    for (auto _ : state) {
        for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
            search<W> all(calls, {.how = how, .seed = seed, .depth = depth}, false);
            for (std::uint64_t i = 0; i < executions_max && all.run(); ++i) {
                ++executions;
                if (all.last().how != wedge::ending::deadlock) continue;
                ++found;
                break;
            }
        }
    }
    const auto runs = static_cast<double>(state.iterations());
    state.counters["executions"] = static_cast<double>(executions) / runs / seeds;
    state.counters["found_of_20"] = static_cast<double>(found) / runs;
}

/// For comparison: two fibers that only switch.
class ping_pong final : public wedge::stack_user {
public:
    void round() { stacks_.switch_to(0, 1); }
    std::uint32_t run_on(std::uint32_t stack) noexcept override {
        for (;;) stacks_.switch_to(stack, stack == 1 ? 2 : 0);
    }

private:
    wedge::stacks stacks_{wedge::substrate::automatic, *this};
};

void bare_switches(benchmark::State& state) {
    ping_pong fibers;
    for (auto _ : state) fibers.round();
    state.counters["switches"] = benchmark::Counter(static_cast<double>(state.iterations()) * 3,
                                                    benchmark::Counter::kIsRate);
}
BENCHMARK(bare_switches);

template <class W>
void add_workload(const std::string& name, const wedge::program& calls, bool is_broken) {
    for (const strategy how : {strategy::random, strategy::pct, strategy::pos, strategy::urw,
                               strategy::surw, strategy::round_robin, strategy::portfolio}) {
        const std::string word = wedge::strategy_names[static_cast<std::size_t>(how)];
        for (const bool is_checked : {false, true}) {
            if (how == strategy::portfolio) continue;  // it ends
            const std::string full = "rate/" + name + "/" + word + (is_checked ? "/checked" : "");
            benchmark::RegisterBenchmark(full.c_str(), [=](benchmark::State& state) {
                measure_rate<W>(state, calls, how, is_checked);
            });
        }
        if (!is_broken) continue;
        for (const std::uint32_t depth : {2U, 3U}) {
            if (depth == 2 && how != strategy::pct) continue;
            const std::string full =
                "find/" + name + "/" + word + (how == strategy::pct ? std::to_string(depth) : "");
            benchmark::RegisterBenchmark(full.c_str(), [=](benchmark::State& state) {
                measure_finding<W>(state, calls, how, depth);
            })->Iterations(1);
        }
    }
    benchmark::RegisterBenchmark(("exhaust/" + name).c_str(), [=](benchmark::State& state) {
        measure_exhausting<W>(state, calls);
    });
}

const bool workloads_are_added = [] {
    using wedge::parse_program;
    add_workload<abba>("ordered_pair", parse_program("ab | ab"), false);
    add_workload<abba>("ordered_three", parse_program("ab | ab | ab"), false);
    add_workload<abba>("abba", parse_program("ab | ba"), true);
    add_workload<staggered_abba>("staggered_abba", parse_program("ab | late(1)"), true);
    add_workload<gated_abba>("gated_abba", parse_program("ab | open | maybe_ba"), true);
    add_workload<table<3>>("ring_of_3", table<3>::all(), true);
    add_workload<table<5>>("philosophers_5", table<5>::all(), true);
    add_workload<readers_writers>("readers_writer", parse_program("read | read | write"), false);
    add_workload<hand_over>("condition", parse_program("wait | set"), false);
    add_workload<ww_pair>("ww_pair", parse_program("both | both"), false);
    return true;
}();

/// The cost of one execution by the number of tasks, 20 steps each.
void cost_by_tasks(benchmark::State& state) {
    measure_rate<sections>(state, repeated("together", state.range(0), 10), strategy::random,
                           false);
}
BENCHMARK(cost_by_tasks)->RangeMultiplier(2)->Range(2, 16);

/// The cost of one execution by the number of steps of each of its two tasks.
void cost_by_steps(benchmark::State& state) {
    measure_rate<sections>(state, repeated("apart", 2, state.range(0) / 2), strategy::random,
                           false);
}
BENCHMARK(cost_by_steps)->RangeMultiplier(10)->Range(10, 10'000);

/// As `cost_by_steps`, under the exhaustive search, which remembers every step. Nothing races, so
/// there is one path.
void cost_by_steps_exhaustive(benchmark::State& state) {
    const wedge::program calls = repeated("apart", 2, state.range(0) / 2);
    for (auto _ : state) {
        search<sections> all(calls, {.how = strategy::exhaustive}, false);
        while (all.run()) benchmark::DoNotOptimize(all.last().steps);
    }
}
BENCHMARK(cost_by_steps_exhaustive)->RangeMultiplier(10)->Range(10, 10'000);

}  // namespace

BENCH_MAIN()
