// A bounded queue with several producers, written for the standard library.
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace std_programs {

class bounded_queue {
public:
    explicit bounded_queue(std::size_t room) : room_(room) {}

    void put(int value) {
        std::unique_lock<std::mutex> held(lock_);
        not_full_.wait(held, [&] { return values_.size() < room_; });
        values_.push_back(value);
        not_empty_.notify_one();
    }
    int take() {
        std::unique_lock held(lock_);
        while (values_.empty()) not_empty_.wait(held);
        const int value = values_.front();
        values_.pop_front();
        held.unlock();
        not_full_.notify_one();
        return value;
    }

private:
    const std::size_t room_;
    std::deque<int> values_;
    std::mutex lock_;
    std::condition_variable not_full_;
    std::condition_variable not_empty_;
};

inline void produce(bounded_queue& to, int first, int count) {
    for (int i = 0; i < count; ++i) to.put(first + i);
}

/// Returns the sum of all values that went through the queue.
inline std::string run_queue() {
    bounded_queue queue(1);
    std::vector<std::thread> producers;
    producers.emplace_back(produce, std::ref(queue), 1, 2);
    producers.emplace_back([&queue] { queue.put(10); });
    int sum = 0;
    for (int i = 0; i < 3; ++i) sum += queue.take();
    for (std::thread& each : producers) each.join();
    return std::to_string(sum);
}

}  // namespace std_programs
