// Accounts, transfers between them in both directions, and readers of the whole bank.
#include <array>
#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>

namespace std_programs {

struct account {
    std::mutex lock;
    int money = 10;
};

class bank {
public:
    void transfer(account& from, account& to, int money) {
        std::call_once(opened_, [this] { ++openings_; });
        const std::shared_lock<std::shared_mutex> is_open(state_);
        const std::scoped_lock both(from.lock, to.lock);
        from.money -= money;
        to.money += money;
        transfers_.fetch_add(1, std::memory_order_relaxed);
    }
    void swap(account& a, account& b) {
        std::unique_lock<std::mutex> first(a.lock, std::defer_lock);
        std::unique_lock<std::mutex> second(b.lock, std::defer_lock);
        std::lock(first, second);
        std::swap(a.money, b.money);
    }
    std::string close(account& a, account& b) {
        const std::lock_guard<std::shared_mutex> closed(state_);
        const std::lock_guard<std::mutex> all(a.lock);
        const int rest = a.money;
        a.lock.unlock();
        a.lock.lock();
        return std::to_string(rest + b.money) + " " + std::to_string(transfers_.load()) + " " +
               std::to_string(openings_);
    }

private:
    std::once_flag opened_;
    int openings_ = 0;
    std::shared_mutex state_;
    std::atomic<int> transfers_{0};
};

inline std::string run_bank() {
    bank of;
    account a;
    account b;
    std::thread there([&] { of.transfer(a, b, 3); });
    std::thread back([&] { of.transfer(b, a, 5); });
    there.join();
    back.join();
    of.swap(a, b);
    return of.close(a, b);
}

}  // namespace std_programs
