// The cost of the order checker, beside the raw lock and abseil's Mutex with deadlock detection.
//
// Noise of the machine only adds time: compare the `min` of rows of one run.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "wedge/core/rng.hpp"
#include "wedge/order/checker.hpp"
#include "wedge/wedge.hpp"

#include "support/run.hpp"

#if defined(WEDGE_BENCH_ABSL)
#include <csignal>
#include <cstdlib>

#include <absl/synchronization/mutex.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace {

using wedge::level;

struct raw {
    using lock = std::mutex;
};
template <level L>
struct wedge_at {
    using lock = wedge::checked<std::mutex, wedge::level_constant<L>>;
};

template <class Lock>
std::unique_ptr<Lock> make(const std::string& name) {
    if constexpr (std::is_constructible_v<Lock, const char*>)
        return std::make_unique<Lock>(name.c_str());
    else
        return std::make_unique<Lock>();
}
// As a caller sees it: all of these are inlined, the raw lock's too.
template <class Lock>
[[gnu::always_inline]] inline void take(Lock& lock) WEDGE_NO_THREAD_SAFETY {
    lock.lock();
}
template <class Lock>
[[gnu::always_inline]] inline void drop(Lock& lock) WEDGE_NO_THREAD_SAFETY {
    lock.unlock();
}

#if defined(WEDGE_BENCH_ABSL)
struct abseil {
    using lock = absl::Mutex;
};
[[gnu::always_inline]] inline void take(absl::Mutex& lock) WEDGE_NO_THREAD_SAFETY {
    lock.Lock();
}
[[gnu::always_inline]] inline void drop(absl::Mutex& lock) WEDGE_NO_THREAD_SAFETY {
    lock.Unlock();
}

/// Abseil compiles its detection out where it was itself built with NDEBUG; only trying tells.
bool abseil_detects() {
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(2);  // its report
        absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kAbort);
        absl::Mutex a;
        absl::Mutex b;
        for (const bool inverted : {false, true}) {
            take(inverted ? b : a);
            take(inverted ? a : b);
            drop(a);
            drop(b);
        }
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}
#endif

/// At level 1 no sink listens; at level 2 the process's checker does.
template <class What>
class listener {
public:
    listener() {
        if constexpr (std::is_same_v<What, wedge_at<level::events>>)
            wedge::current().sink = nullptr;
    }
    ~listener() { wedge::current().sink = before_; }

private:
    wedge::sink* const before_ = wedge::current().sink;
};

/// A lock and unlock under `depth - 1` held locks, each of its own class.
template <class What>
void pair(benchmark::State& state) {
    const listener<What> scope;
    const auto depth = static_cast<std::size_t>(state.range(0));
    std::vector<std::unique_ptr<typename What::lock>> locks;
    for (std::size_t i = 0; i < depth; ++i)
        locks.push_back(make<typename What::lock>("depth " + std::to_string(i)));
    for (std::size_t i = 0; i + 1 < depth; ++i) take(*locks[i]);
    auto& last = *locks.back();
    for (auto _ : state) {
        take(last);
        drop(last);
    }
    for (std::size_t i = depth - 1; i-- > 0;) drop(*locks[i]);
}

/// A lock and unlock of each of 1,024 locks of one class in turn.
template <class What>
void instances(benchmark::State& state) {
    const listener<What> scope;
    constexpr std::size_t count = 1024;
    std::vector<std::unique_ptr<typename What::lock>> locks;
    for (std::size_t i = 0; i < count; ++i) locks.push_back(make<typename What::lock>("instance"));
    std::size_t i = 0;
    for (auto _ : state) {
        auto& lock = *locks[i++ % count];
        take(lock);
        drop(lock);
    }
}

/// Each thread takes two locks of its own; all have the same two classes.
template <class What>
void disjoint(benchmark::State& state) {
    const listener<What> scope;
    const auto outer = make<typename What::lock>("disjoint outer");
    const auto inner = make<typename What::lock>("disjoint inner");
    for (auto _ : state) {
        take(*outer);
        take(*inner);
        drop(*inner);
        drop(*outer);
    }
    state.SetItemsProcessed(state.iterations());
}

using identities = std::deque<wedge::lock_identity>;

identities make_classes(std::size_t count) {
    identities made;
    for (std::size_t i = 0; i < count; ++i)
        made.emplace_back(wedge::lock_kind::mutex,
                          wedge::lock_class(("class " + std::to_string(i)).c_str()));
    return made;
}

void enter(wedge::task& self, wedge::lock_identity& lock) {
    wedge::detail::attempt(self, lock, {});
    wedge::detail::acquired(self, lock, {});
}
void leave(wedge::task& self, wedge::lock_identity& lock) {
    wedge::detail::released(self, lock, wedge::mode::exclusive, {});
}
void nest(wedge::task& self, wedge::lock_identity& outer, wedge::lock_identity& inner) {
    enter(self, outer);
    enter(self, inner);
    leave(self, inner);
    leave(self, outer);
}

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
void depths(benchmark::internal::Benchmark* rows) {
    rows->Arg(1)->Arg(4)->Arg(8)->Arg(64)->Apply(short_rows);
}
void threads(benchmark::internal::Benchmark* rows) {
    rows->Threads(1)->Threads(2)->UseRealTime()->Apply(short_rows);
}

BENCHMARK(pair<raw>)->Apply(depths);
BENCHMARK(pair<wedge_at<level::off>>)->Apply(depths);
BENCHMARK(pair<wedge_at<level::events>>)->Apply(depths);
BENCHMARK(pair<wedge_at<level::order>>)->Apply(depths);
BENCHMARK(instances<raw>)->Apply(short_rows);
BENCHMARK(instances<wedge_at<level::order>>)->Apply(short_rows);
BENCHMARK(disjoint<raw>)->Apply(threads);
BENCHMARK(disjoint<wedge_at<level::order>>)->Apply(threads);
#if defined(WEDGE_BENCH_ABSL)
BENCHMARK(pair<abseil>)->Apply(depths);
BENCHMARK(instances<abseil>)->Apply(short_rows);
BENCHMARK(disjoint<abseil>)->Apply(threads);
#endif
BENCHMARK(pair_in_graph)->Arg(100)->Arg(1000)->Arg(10000)->Apply(short_rows);
BENCHMARK(fresh_edges)->Arg(0)->Arg(1)->Apply(short_rows);
BENCHMARK(growing_graph)->Arg(100)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);
BENCHMARK(exact_instances)->Arg(100)->Arg(1000)->Arg(10000);
BENCHMARK(reset)->Arg(0)->Arg(1)->Arg(10)->Arg(100)->Apply(short_rows);

}  // namespace

int main(int argc, char** argv) {
#if defined(WEDGE_BENCH_ABSL)
    benchmark::AddCustomContext(
        "abseil's deadlock detection",
        abseil_detects() ? "compiled in" : "compiled out (abseil was built with NDEBUG)");
#endif
    // Repetitions of different rows take turns: the rows of one run see the same machine.
    return bench::run(argc, argv, {"--benchmark_enable_random_interleaving=true"});
}
