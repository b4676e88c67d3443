// Predictions from the traces that the stress runner records.
#include <atomic>
#include <mutex>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "wedge/model/memory.hpp"
#include "wedge/stress.hpp"
#include "wedge/wedge.hpp"

#include "predict/predict.hpp"
#include "support/counted_run.hpp"

namespace recorded_test {
namespace {

using namespace wedge::predict;
using wedge::parse_trace;

/// Takes two locks in both orders. A lock that wedge does not see keeps the orders apart, so the
/// run never hangs.
template <bool IsRepaired>
struct transfer {
    std::mutex turn;
    wedge::mutex checking{"checking"};
    wedge::shared_mutex savings{"savings"};

    void deposit() {
        const std::lock_guard<std::mutex> mine(turn);
        const wedge::guard a(checking);
        const wedge::guard b(savings);
        savings.downgrade();
        savings.unlock_shared();
        savings.lock();
    }
    void withdraw() {
        const std::lock_guard<std::mutex> mine(turn);
        if constexpr (IsRepaired) return deposit_again();
        const wedge::guard b(savings);
        const wedge::guard a(checking);
    }
    void deposit_again() {
        const wedge::guard a(checking);
        const wedge::guard b(savings);
    }
    static constexpr auto actions = wedge::actions(wedge::action<&transfer::deposit>{"deposit"},
                                                   wedge::action<&transfer::withdraw>{"withdraw"});
};

/// A queue with a condition and a semaphore, whose users allocate. A put comes only while a taker
/// is in, so the first taker has to wait.
struct queue {
    wedge::mutex lock{"queue"};
    wedge::condition filled{"filled"};
    wedge::semaphore units{0, "units"};
    wedge::memory zone;
    std::atomic<int> takers{0};
    int items = 0;

    void put() {
        while (takers == 0) std::this_thread::yield();
        static_cast<void>(zone.alloc(1, wedge::gfp_kernel));
        {
            const wedge::guard held(lock);
            ++items;
            filled.notify_one();
        }
        units.up();
        zone.free(1);
    }
    void take() {
        {
            wedge::guard held(lock);
            ++takers;
            filled.wait(held, [&] { return items != 0; });
            --items;
            --takers;
        }
        units.down();
    }
    static constexpr auto actions =
        wedge::actions(wedge::action<&queue::put>{"put"}, wedge::action<&queue::take>{"take"});
};

template <class W>
std::string trace_of(const char* calls, std::uint64_t calls_max, std::size_t recorded) {
    wedge::stress_options how = counted_run(calls_max, wedge::parse_program(calls));
    how.recorded = recorded;
    return wedge::stress<W>(how).trace;
}

std::size_t deadlocks(const std::string& text) {
    return predict(parse_trace(text, "recorded")).deadlocks.size();
}

TEST_CASE("recorded: a deadlock that the run kept apart is predicted") {
    CHECK(deadlocks(trace_of<transfer<false>>("deposit | withdraw", 20, 1000)) >= 1);
    CHECK(deadlocks(trace_of<transfer<true>>("deposit | withdraw", 20, 1000)) == 0);
}

TEST_CASE("recorded: waits, notifications and units of a run are read") {
    const std::string whole = trace_of<queue>("put | take", 300, 100'000);
    for (const char* const word : {" wait ", " wake ", " notify_all ", " up ", " down "})
        CHECK_MESSAGE(whole.find(word) != std::string::npos, word);
    CHECK(deadlocks(whole) == 0);
}

TEST_CASE("recorded: a trace may begin anywhere in a run") {
    for (std::size_t recorded = 1; recorded < 40; ++recorded)
        CHECK(deadlocks(trace_of<queue>("put | take", 50, recorded)) == 0);
}

}  // namespace
}  // namespace recorded_test
