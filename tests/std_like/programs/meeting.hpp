// Threads that meet: a latch, a barrier with a completion function, semaphores, and a stop.
#include <atomic>
#include <barrier>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <semaphore>
#include <stop_token>
#include <string>
#include <thread>

namespace std_programs {

inline std::string run_phases() {
    int phases = 0;
    std::barrier together(2, [&phases]() noexcept { ++phases; });
    std::latch done(2);
    std::counting_semaphore<4> units(0);
    std::thread one([&] {
        together.arrive_and_wait();
        units.release(2);
        together.arrive_and_drop();
        done.count_down();
    });
    std::thread two([&] {
        auto arrived = together.arrive();
        together.wait(std::move(arrived));
        units.acquire();
        units.acquire();
        together.arrive_and_wait();
        together.arrive_and_wait();
        done.count_down(1);
    });
    done.wait();
    one.join();
    two.join();
    return std::to_string(phases) + (units.try_acquire() ? " left" : " none");
}

inline std::string run_stop() {
    std::mutex lock;
    std::condition_variable_any changed;
    std::atomic<int> callbacks = 0;
    bool is_stopped = false;
    {
        std::jthread worker([&](std::stop_token token) {
            std::stop_callback counts(token, [&callbacks] { callbacks++; });
            std::unique_lock<std::mutex> held(lock);
            const bool is_ready = changed.wait(held, token, [] { return false; });
            is_stopped = !is_ready && token.stop_requested();
        });
        const bool is_another = worker.get_id() != std::this_thread::get_id();
        if (!is_another || !worker.joinable()) return "not a thread";
    }
    return std::string(is_stopped ? "stopped" : "not stopped") + " " + std::to_string(callbacks);
}

inline std::string run_flag() {
    std::atomic<bool> is_ready{false};
    std::atomic_flag once;
    int value = 0;
    std::thread writer([&] {
        value = 3;
        is_ready.store(true, std::memory_order_release);
        is_ready.notify_all();
    });
    is_ready.wait(false, std::memory_order_acquire);
    const bool was_set = once.test_and_set();
    writer.join();
    int expected = 3;
    std::atomic<int> copy(value);
    while (!copy.compare_exchange_weak(expected, 9)) expected = 3;
    return std::to_string(copy |= 4) + (was_set ? " set" : " clear");
}

}  // namespace std_programs
