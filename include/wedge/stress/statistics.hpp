// How native tasks used each class of locks and each call site, and what they waited for meanwhile.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "wedge/core/lock_class.hpp"
#include "wedge/core/site.hpp"
#include "wedge/core/task.hpp"
#include "wedge/stress/histogram.hpp"

namespace wedge {

/// The use of a class of locks, in all or at one call site.
struct lock_usage {
    std::uint64_t acquired = 0;   ///< blocking, timed and try acquires that succeeded
    std::uint64_t contended = 0;  ///< attempts while another task held the lock
    std::uint64_t tried = 0;      ///< try acquires, successful or not
    std::uint64_t failed = 0;     ///< failed try acquires and timed ones
    histogram waits;              ///< of blocking acquires, contended or not
    histogram holds;              ///< from the acquire to the release

    lock_usage& operator+=(const lock_usage& other) {
        acquired += other.acquired;
        contended += other.contended;
        tried += other.tried;
        failed += other.failed;
        waits += other.waits;
        holds += other.holds;
        return *this;
    }
};

/// The locks that were held over something that may take long: reclaim, the wait for a fence or a
/// condition, a copy from user memory.
struct held_over {
    std::uint64_t times = 0;
    std::chrono::nanoseconds sum{0};
    std::chrono::nanoseconds max{0};

    void add(std::chrono::nanoseconds time) noexcept {
        ++times;
        sum += time;
        max = std::max(max, time);
    }
    held_over& operator+=(const held_over& other) noexcept {
        times += other.times;
        sum += other.sum;
        max = std::max(max, other.max);
        return *this;
    }
};

/// The statistics of one task, or of several together.
class lock_statistics {
public:
    /// A class, or one of its call sites.
    struct row {
        std::string name;
        lock_usage counted;
        site where{};  ///< of a call site
    };
    struct over_row {
        std::string held;
        std::string over;
        held_over counted;
    };

    lock_usage& operator[](std::uint32_t class_id) {
        if (class_id >= classes_.size()) classes_.resize(class_id + std::size_t{1});
        return classes_[class_id];
    }
    lock_usage& at(std::uint32_t class_id, const site& where) {
        return sites_[{class_id, where.file, where.line}];
    }
    held_over& over(std::uint32_t held, std::uint32_t what) { return over_[{held, what}]; }

    lock_statistics& operator+=(const lock_statistics& other) {
        for (std::uint32_t id = 0; id < other.classes_.size(); ++id)
            (*this)[id] += other.classes_[id];
        for (const auto& [key, counted] : other.sites_) sites_[key] += counted;
        for (const auto& [key, counted] : other.over_) over_[key] += counted;
        return *this;
    }

    /// Returns the classes that were used, those that tasks waited for most first.
    std::vector<row> rows() const {
        std::vector<row> used;
        for (std::uint32_t id = 0; id < classes_.size(); ++id)
            if (is_used(classes_[id]))
                used.push_back({lock_class::from_id(id).name(), classes_[id]});
        return sorted(std::move(used));
    }
    /// Returns the call sites that acquired locks, those that tasks waited at most first.
    std::vector<row> sites() const {
        std::vector<row> used;
        for (const auto& [key, counted] : sites_)
            used.push_back({lock_class::from_id(std::get<0>(key)).name(),
                            counted,
                            {std::get<1>(key), "", std::get<2>(key), 0}});
        return sorted(std::move(used));
    }
    /// Returns the table of locks that were held over waits, the longest total first.
    std::vector<over_row> held_over_rows() const {
        std::vector<over_row> all;
        for (const auto& [key, counted] : over_)
            all.push_back({lock_class::from_id(key.first).name(),
                           lock_class::from_id(key.second).name(), counted});
        std::sort(all.begin(), all.end(), [](const over_row& a, const over_row& b) {
            return std::tuple(b.counted.sum, a.held, a.over) <
                   std::tuple(a.counted.sum, b.held, b.over);
        });
        return all;
    }

    lock_usage total() const {
        lock_usage sum;
        for (const lock_usage& each : classes_) sum += each;
        return sum;
    }

private:
    static bool is_used(const lock_usage& of) noexcept { return of.acquired + of.failed != 0; }
    static std::vector<row> sorted(std::vector<row> all) {
        std::sort(all.begin(), all.end(), [](const row& a, const row& b) {
            return std::tuple(b.counted.waits.sum(), b.counted.contended, a.name, a.where.line) <
                   std::tuple(a.counted.waits.sum(), a.counted.contended, b.name, b.where.line);
        });
        return all;
    }

    std::vector<lock_usage> classes_;
    // A file is known by the address of its name: a site of a header may have several rows.
    std::map<std::tuple<std::uint32_t, const char*, std::uint32_t>, lock_usage> sites_;
    std::map<std::pair<std::uint32_t, std::uint32_t>, held_over> over_;
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
