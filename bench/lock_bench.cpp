// The throughput of the native locks by threads, beside the locks of the standard library.
//
// The critical sections are equal. Compare rows of one run with equal numbers of threads.
#include <array>
#include <cstdint>
#include <mutex>
#include <shared_mutex>

#include <benchmark/benchmark.h>

#include "wedge/wedge.hpp"

#include "support/run.hpp"

namespace {

/// Data of two cache lines, which writers change and readers compare.
struct shared_data {
    alignas(64) std::uint64_t first = 0;
    alignas(64) std::uint64_t second = 0;
};

template <class Lock>
struct locked_data {
    Lock lock;
    shared_data data;
};

template <class Lock>
locked_data<Lock>& instance() {
    static locked_data<Lock> only;
    return only;
}

template <class Lock>
void exclusive(benchmark::State& state) {
    locked_data<Lock>& all = instance<Lock>();
    for (auto _ : state) {
        all.lock.lock();
        ++all.data.first;
        ++all.data.second;
        all.lock.unlock();
    }
}

template <class Lock>
void readers(benchmark::State& state) {
    locked_data<Lock>& all = instance<Lock>();
    for (auto _ : state) {
        all.lock.lock_shared();
        benchmark::DoNotOptimize(all.data.first + all.data.second);
        all.lock.unlock_shared();
    }
}

/// Sections that do a little work: they sum up a table of 2 KiB.
template <class Lock>
void table_readers(benchmark::State& state) {
    static Lock lock;
    static std::array<std::uint64_t, 256> table{};
    for (auto _ : state) {
        lock.lock_shared();
        benchmark::DoNotOptimize(table.data());
        benchmark::ClobberMemory();
        std::uint64_t sum = 0;
        for (const std::uint64_t each : table) sum += each;
        benchmark::DoNotOptimize(sum);
        lock.unlock_shared();
    }
}

/// One of 16 sections of each thread writes.
template <class Lock>
void mixed(benchmark::State& state) {
    locked_data<Lock>& all = instance<Lock>();
    unsigned turn = static_cast<unsigned>(state.thread_index());
    for (auto _ : state) {
        if (++turn % 16 == 0) {
            all.lock.lock();
            ++all.data.first;
            ++all.data.second;
            all.lock.unlock();
        } else {
            all.lock.lock_shared();
            benchmark::DoNotOptimize(all.data.first + all.data.second);
            all.lock.unlock_shared();
        }
    }
}

/// A wound/wait mutex, taken without a ticket.
struct ww_lock {
    wedge::ww_class of{"bench"};
    wedge::ww_mutex one{of};
    void lock() WEDGE_NO_THREAD_SAFETY { one.lock(); }
    void unlock() WEDGE_NO_THREAD_SAFETY { one.unlock(); }
};

/// Two wound/wait mutexes, taken under a ticket in either order.
void ww_pairs(benchmark::State& state) {
    static wedge::ww_class of("bench pairs");
    static wedge::ww_mutex locks[2] = {wedge::ww_mutex(of), wedge::ww_mutex(of)};
    static shared_data data;
    unsigned turn = static_cast<unsigned>(state.thread_index());
    for (auto _ : state) {
        const unsigned one = ++turn % 2;
        wedge::transaction(of, [&](wedge::ww_ticket& ticket) {
            if (locks[one].lock(ticket) == wedge::ww_result::back_off)
                return wedge::ww_result::back_off;
            if (locks[1 - one].lock(ticket) == wedge::ww_result::back_off)
                return wedge::ww_result::back_off;
            ++data.first;
            ++data.second;
            return wedge::ww_result::ok;
        });
    }
}
/// The same sections over std::mutex, by std::scoped_lock.
void std_pairs(benchmark::State& state) {
    static std::mutex locks[2];
    static shared_data data;
    unsigned turn = static_cast<unsigned>(state.thread_index());
    for (auto _ : state) {
        const unsigned one = ++turn % 2;
        const std::scoped_lock both(locks[one], locks[1 - one]);
        ++data.first;
        ++data.second;
    }
}

void threads(benchmark::internal::Benchmark* of) {
    of->ThreadRange(1, 8)->UseRealTime()->MinTime(0.2);
}

BENCHMARK(exclusive<std::mutex>)->Apply(threads);
BENCHMARK(exclusive<std::shared_mutex>)->Apply(threads);
BENCHMARK(exclusive<wedge::mutex>)->Apply(threads);
BENCHMARK(exclusive<wedge::plain_shared_mutex>)->Apply(threads);  // without the order checker
BENCHMARK(exclusive<wedge::shared_mutex>)->Apply(threads);
BENCHMARK(exclusive<wedge::fair_shared_mutex>)->Apply(threads);
BENCHMARK(exclusive<wedge::spinlock>)->Apply(threads);
BENCHMARK(exclusive<ww_lock>)->Apply(threads);
BENCHMARK(readers<std::shared_mutex>)->Apply(threads);
BENCHMARK(readers<wedge::plain_shared_mutex>)->Apply(threads);
BENCHMARK(readers<wedge::shared_mutex>)->Apply(threads);
BENCHMARK(readers<wedge::plain_big_reader_mutex>)->Apply(threads);
BENCHMARK(readers<wedge::big_reader_mutex>)->Apply(threads);
BENCHMARK(table_readers<std::shared_mutex>)->Apply(threads);
BENCHMARK(table_readers<wedge::plain_shared_mutex>)->Apply(threads);
BENCHMARK(table_readers<wedge::shared_mutex>)->Apply(threads);
BENCHMARK(mixed<std::shared_mutex>)->Apply(threads);
BENCHMARK(mixed<wedge::shared_mutex>)->Apply(threads);
BENCHMARK(std_pairs)->Apply(threads);
BENCHMARK(ww_pairs)->Apply(threads);

}  // namespace

BENCH_MAIN()
