// How often native tasks took each class of locks, and how often another task held it then.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "wedge/core/lock_class.hpp"
#include "wedge/core/task.hpp"

namespace wedge {

/// The counts of a class.
struct class_statistics {
    std::uint64_t acquired = 0;              ///< blocking, timed and try acquires that succeeded
    std::uint64_t contended = 0;             ///< attempts while another task held the lock
    std::uint64_t tried = 0;                 ///< try acquires, successful or not
    std::uint64_t failed = 0;                ///< failed try acquires and timed ones
    std::chrono::nanoseconds waited{0};      ///< in contended attempts
    std::chrono::nanoseconds waited_max{0};  ///< the longest wait of a contended attempt

    class_statistics& operator+=(const class_statistics& other) noexcept {
        acquired += other.acquired;
        contended += other.contended;
        tried += other.tried;
        failed += other.failed;
        waited += other.waited;
        waited_max = std::max(waited_max, other.waited_max);
        return *this;
    }
};

/// The counts of all classes.
class lock_statistics {
public:
    class_statistics& operator[](std::uint32_t class_id) {
        if (class_id >= all_.size()) all_.resize(class_id + std::size_t{1});
        return all_[class_id];
    }

    lock_statistics& operator+=(const lock_statistics& other) {
        for (std::uint32_t id = 0; id < other.all_.size(); ++id) (*this)[id] += other.all_[id];
        return *this;
    }

    struct row {
        std::string name;
        class_statistics counted;
    };

    /// Returns the classes that were used, most contended first.
    std::vector<row> rows() const {
        std::vector<row> used;
        for (std::uint32_t id = 1; id < all_.size(); ++id)
            if (all_[id].acquired != 0 || all_[id].tried != 0)
                used.push_back({lock_class::from_id(id).name(), all_[id]});
        std::sort(used.begin(), used.end(), [](const row& a, const row& b) {
            return a.counted.contended != b.counted.contended
                       ? a.counted.contended > b.counted.contended
                       : a.name < b.name;
        });
        return used;
    }

    class_statistics total() const noexcept {
        class_statistics sum;
        for (const class_statistics& each : all_) sum += each;
        return sum;
    }

private:
    std::vector<class_statistics> all_;
};

/// Approximately how many tasks hold each lock: several locks share a count. Creates no order
/// between tasks.
class holder_counts {
public:
    void add(std::uint32_t instance) noexcept {
        place(instance).fetch_add(1, std::memory_order_relaxed);
    }
    void remove(std::uint32_t instance) noexcept {
        place(instance).fetch_sub(1, std::memory_order_relaxed);
    }
    bool is_held(std::uint32_t instance) noexcept {
        return place(instance).load(std::memory_order_relaxed) > 0;
    }

private:
    static constexpr std::size_t places = 1024;

    std::atomic<std::int32_t>& place(std::uint32_t instance) noexcept {
        return counts_[instance % places];
    }

    std::atomic<std::int32_t> counts_[places]{};
};

}  // namespace wedge
