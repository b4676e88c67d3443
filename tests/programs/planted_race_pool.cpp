// A data race between two threads of a pool, and its repaired twin: the pool itself orders nothing
// but the start and the end of a job.
//
// ctest: race_is_seen when=tsan exit=66 racy => data race
// ctest: no_race_is_seen when=tsan sound =/> WARNING
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>

#include <sched.h>

#include "wedge/stress/thread_pool.hpp"

namespace {

int value = 0;
std::atomic<unsigned> turn{0};

void run(wedge::thread_pool& threads, void (*job)(unsigned)) {
    threads.start(2, job);
    while (!threads.wait_for(std::chrono::hours(1))) {
    }
}

}  // namespace

int main(int argc, char** argv) {
    const bool is_racy = argc > 1 && std::strcmp(argv[1], "racy") == 0;
    wedge::thread_pool threads;
    const auto write_in_turn = [](unsigned part) {
        while (turn.load(std::memory_order_relaxed) != part) ::sched_yield();
        ++value;
        turn.store(part + 1, std::memory_order_relaxed);
    };
    if (is_racy) {
        run(threads, write_in_turn);
    } else {
        for (unsigned i = 0; i < 2; ++i) {
            turn.store(i);
            run(threads, [](unsigned part) {
                if (turn.load(std::memory_order_relaxed) == part) ++value;
            });
        }
    }
    std::printf("done, %d\n", value);
    return 0;
}
