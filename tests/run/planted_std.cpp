// Programs in C++ with a planted inversion, and their repaired twins: planted_std CASE
// broken|repaired.
#include <condition_variable>
#include <cstring>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

bool broken = false;

void in_turn(const std::function<void()>& first, const std::function<void()>& second) {
    std::thread(first).join();
    std::thread(second).join();
}

template <class Outer, class Inner>
void pair(Outer& outer, Inner& inner) {
    const std::lock_guard<Outer> held(outer);
    const std::lock_guard<Inner> both(inner);
}

struct account {
    std::mutex balance;
    std::mutex history;
};

/// Locks on the heap without a constructor of their own: the class is where they are first taken.
void heap() {
    const auto one = std::make_unique<account>();
    in_turn([&] { pair(one->balance, one->history); },
            [&] { broken ? pair(one->history, one->balance) : pair(one->balance, one->history); });
}

std::shared_mutex table;
std::mutex row;
void shared() {
    in_turn(
        [] {
            const std::unique_lock held(table);
            const std::lock_guard both(row);
        },
        [] {
            if (broken) {
                const std::lock_guard held(row);
                const std::shared_lock both(table);
            } else {
                const std::shared_lock held(table);
                const std::lock_guard both(row);
            }
        });
}

std::recursive_mutex again;
void recursive() {
    in_turn([] { pair(again, row); },
            [] {
                const std::lock_guard held(again);
                if (broken) {
                    again.unlock();
                    const std::lock_guard first(row);
                    again.lock();
                } else {
                    pair(again, row);
                }
            });
}

/// std::scoped_lock backs off, so the order of its arguments does not matter.
void scoped() {
    const auto one = std::make_unique<account>();
    in_turn([&] { const std::scoped_lock both(one->balance, one->history); },
            [&] {
                if (broken) {
                    pair(one->history, one->balance);
                    pair(one->balance, one->history);
                } else {
                    const std::scoped_lock both(one->history, one->balance);
                }
            });
}

/// A lock that is taken after main has returned.
struct last_word {
    std::mutex first;
    std::mutex second;
    ~last_word() {
        in_turn([&] { pair(first, second); },
                [&] { broken ? pair(second, first) : pair(first, second); });
    }
};

/// A lock that a thread takes when its thread_local objects are destroyed.
struct at_thread_end {
    std::mutex* outer = nullptr;
    std::mutex* inner = nullptr;
    ~at_thread_end() {
        if (outer != nullptr) pair(*outer, *inner);
    }
};
thread_local at_thread_end leaving;
void thread_end() {
    account one;
    in_turn([&] { leaving.outer = &one.balance, leaving.inner = &one.history; },
            [&] {
                leaving.outer = broken ? &one.history : &one.balance;
                leaving.inner = broken ? &one.balance : &one.history;
            });
}

/// Many futures that live side by side: each has a once flag, and all of them are one class.
void futures() {
    account one;
    std::vector<std::promise<int>> made(60);
    in_turn(
        [&] {
            for (std::promise<int>& each : made) each.set_value(1);
            pair(one.balance, one.history);
        },
        [&] {
            for (std::promise<int>& each : made) each.get_future().wait();
            broken ? pair(one.history, one.balance) : pair(one.balance, one.history);
        });
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    broken = std::strcmp(argv[2], "broken") == 0;
    const std::string which = argv[1];
    if (which == "heap") return heap(), 0;
    if (which == "shared") return shared(), 0;
    if (which == "recursive") return recursive(), 0;
    if (which == "scoped") return scoped(), 0;
    if (which == "futures") return futures(), 0;
    if (which == "thread_end") return thread_end(), 0;
    if (which != "last_word") return 2;
    static last_word spoken;
    return 0;
}
