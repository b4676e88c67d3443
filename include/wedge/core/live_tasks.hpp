// The tasks of the threads that live now, for a debugger.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>

namespace wedge {

class task;

namespace detail {

/// A list of the tasks of live threads, without a lock: a debugger may have stopped a thread
/// anywhere. Tasks beyond its size are left out.
class live_tasks {
public:
    static constexpr std::size_t size = 1024;

    static void add(task& one) noexcept {
        for (std::atomic<task*>& place : all) {
            task* none = nullptr;
            if (place.load(std::memory_order_relaxed) == nullptr &&
                place.compare_exchange_strong(none, &one, std::memory_order_release))
                return;
        }
    }
    static void remove(const task& one) noexcept {
        for (std::atomic<task*>& place : all)
            if (place.load(std::memory_order_relaxed) == &one)
                return place.store(nullptr, std::memory_order_release);
    }

    static inline std::array<std::atomic<task*>, size> all{};
};

}  // namespace detail

/// Prints the locks that each task of the process holds to stderr, and the action that it runs.
/// Call it in a debugger: `call wedge::dump_held()`. Tasks of stopped threads are printed as they
/// are; a task that runs meanwhile may be printed wrongly. It takes the lock of the table of class
/// names only, so it hangs if a thread was stopped while it made a lock class.
void dump_held();

}  // namespace wedge
