// A thread that takes memory, touches it and gives it back: real pressure beside the workload.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <thread>

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace wedge {

/// A thread that hogs memory from its construction to its destruction. It goes on if it gets no
/// memory.
class memory_hog {
public:
    explicit memory_hog(std::size_t mebibytes) {
        if (mebibytes == 0) return;
        thread_ = std::thread([this, mebibytes] {
            number_.store(static_cast<int>(::syscall(SYS_gettid)), std::memory_order_relaxed);
            work(mebibytes << 20);
        });
    }
    ~memory_hog() {
        is_over_.store(true, std::memory_order_relaxed);
        if (thread_.joinable()) thread_.join();
    }
    /// Lets the thread work, or rest until the next call. It works at first.
    void set_working(bool is_working) noexcept {
        rests_.store(!is_working, std::memory_order_relaxed);
    }
    /// Returns the number that the system gives the thread; 0: not yet known.
    int thread() const noexcept { return number_.load(std::memory_order_relaxed); }
    memory_hog(const memory_hog&) = delete;
    memory_hog& operator=(const memory_hog&) = delete;

private:
    static constexpr std::size_t page = 4096;

    void work(std::size_t size) {
        while (!is_over_.load(std::memory_order_relaxed)) {
            void* const taken = rests_.load(std::memory_order_relaxed)
                                    ? MAP_FAILED
                                    : ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
            if (taken != MAP_FAILED) {
                for (std::size_t at = 0; at < size && !is_over_.load(std::memory_order_relaxed);
                     at += page)
                    static_cast<volatile char*>(taken)[at] = 1;
                ::munmap(taken, size);
            }
            // Otherwise it would permanently take a processor from the workload.
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }

    std::atomic<int> number_{0};
    std::atomic<bool> is_over_{false};
    std::atomic<bool> rests_{false};
    std::thread thread_;
};

}  // namespace wedge
