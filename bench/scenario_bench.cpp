// Checking generated scenarios, as tasks and locks grow: parsing, the order pass, the search over
// states; and beside it SPIN's search of the same programs in Promela, where spin is installed.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <unistd.h>

#include "wedge/core/rng.hpp"
#include "wedge/scenario/check.hpp"
#include "wedge/scenario/parse.hpp"

namespace {

/// By task: the locks that it takes, nested and in rising order, so that everything is searched.
using program = std::vector<std::vector<std::uint32_t>>;

program generated(std::uint32_t tasks, std::uint32_t locks) {
    constexpr std::uint32_t depth = 3;
    wedge::rng random(tasks * 100 + locks);
    program made(tasks);
    for (std::vector<std::uint32_t>& each : made) {
        while (each.size() < std::min(depth, locks)) {
            const std::uint32_t lock = random.below(locks);
            if (std::find(each.begin(), each.end(), lock) == each.end()) each.push_back(lock);
        }
        std::sort(each.begin(), each.end());
    }
    return made;
}
program generated(const benchmark::State& state) {
    return generated(static_cast<std::uint32_t>(state.range(0)),
                     static_cast<std::uint32_t>(state.range(1)));
}

/// The locks of one task in order, then backwards.
template <class Take, class Give>
std::string steps_of(const std::vector<std::uint32_t>& locks, Take take, Give give) {
    std::string text;
    for (const std::uint32_t each : locks) text += take(std::to_string(each));
    for (std::size_t i = locks.size(); i-- > 0;) text += give(std::to_string(locks[i]));
    return text;
}

std::string scenario_text(const program& of, std::int64_t locks) {
    std::string text;
    for (std::int64_t i = 0; i < locks; ++i) text += "lock l" + std::to_string(i) + " mutex\n";
    for (std::size_t i = 0; i < of.size(); ++i)
        text += "thread t" + std::to_string(i) + " {\n" +
                steps_of(
                    of[i], [](const std::string& l) { return "lock l" + l + "\n"; },
                    [](const std::string& l) { return "unlock l" + l + "\n"; }) +
                "}\n";
    return text;
}
std::string promela_text(const program& of, std::int64_t locks) {
    std::string text = "bool taken[" + std::to_string(locks) + "];\n";
    for (std::size_t i = 0; i < of.size(); ++i)
        text += "active proctype t" + std::to_string(i) + "() {\n" +
                steps_of(
                    of[i],
                    [](const std::string& l) {
                        return "atomic { !taken[" + l + "] -> taken[" + l + "] = true };\n";
                    },
                    [](const std::string& l) { return "taken[" + l + "] = false;\n"; }) +
                "skip\n}\n";
    return text;
}

wedge::scenario::document document_of(const benchmark::State& state) {
    return wedge::scenario::parse(scenario_text(generated(state), state.range(1)), "bench.wedge");
}

void parse(benchmark::State& state) {
    const std::string text = scenario_text(generated(state), state.range(1));
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

/// A directory for SPIN's files, which is removed with this object.
class scratch_folder {
public:
    scratch_folder()
        : path_(std::filesystem::temp_directory_path() /
                ("wedge_bench_" + std::to_string(::getpid()))) {
        std::filesystem::create_directories(path_);
    }
    ~scratch_folder() { std::filesystem::remove_all(path_); }
    scratch_folder(const scratch_folder&) = delete;
    scratch_folder& operator=(const scratch_folder&) = delete;

    const std::filesystem::path& path() const noexcept { return path_; }

private:
    const std::filesystem::path path_;
};

/// Returns the processor time of all children so far.
double seconds_of_children() {
    rusage all{};
    ::getrusage(RUSAGE_CHILDREN, &all);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return seconds(all.ru_utime) + seconds(all.ru_stime);
}

/// Returns the processor time of a command; -1 if it failed.
double seconds_of(const std::string& command) {
    const double before = seconds_of_children();
    if (std::system(command.c_str()) != 0) return -1;
    return seconds_of_children() - before;
}

/// Returns the number before `, stored` in pan's report.
double states_stored(const std::filesystem::path& report) {
    std::ifstream file(report);
    for (std::string line; std::getline(file, line);)
        if (line.find("states, stored") != std::string::npos) return std::stod(line);
    return -1;
}

/// Measures pan's run alone, including its start, with tables of a fitting size. The time to
/// compile pan is reported separately.
void spin(benchmark::State& state) {
    const scratch_folder folder;
    std::ofstream(folder.path() / "bench.pml") << promela_text(generated(state), state.range(1));
    const std::string in_folder = "cd '" + folder.path().string() + "' && ";
    const double compiling =
        seconds_of(in_folder + "spin -a bench.pml >/dev/null && cc -O2 -DSAFETY -w -o pan pan.c");
    if (compiling < 0) return state.SkipWithError("spin or the compiler failed");
    for (auto _ : state) {
        const double running = seconds_of(in_folder + "./pan -m1000 -w18 >report");
        if (running < 0) return state.SkipWithError("pan failed");
        state.SetIterationTime(running);
    }
    state.counters["states"] = states_stored(folder.path() / "report");
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
    if (seconds_of("command -v spin >/dev/null") < 0) {
        std::fputs("scenario_bench: no spin here, so nothing is measured beside it\n", stderr);
        return false;
    }
    benchmark::RegisterBenchmark("spin", spin)->Apply(sizes)->UseManualTime();
    return true;
}();

}  // namespace
