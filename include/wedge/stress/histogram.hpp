// A histogram of durations with a bounded relative error, in the layout of HdrHistogram.
#pragma once

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace wedge {

/// Counts durations. As in HdrHistogram, each power of two is divided into equal parts, here 64,
/// so a percentile is at most 1.6 % too high. It has no limit, and takes memory only up to the
/// longest duration: 9 KiB for a second. One thread uses it.
class histogram {
public:
    void add(std::chrono::nanoseconds time) {
        const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0));
        const std::size_t at = place_of(value);
        if (at >= counts_.size()) counts_.resize(at + 1);
        ++counts_[at];
        ++count_;
        sum_ += value;
        max_ = std::max(max_, value);
    }
    histogram& operator+=(const histogram& other) {
        if (other.counts_.size() > counts_.size()) counts_.resize(other.counts_.size());
        for (std::size_t i = 0; i < other.counts_.size(); ++i) counts_[i] += other.counts_[i];
        count_ += other.count_;
        sum_ += other.sum_;
        max_ = std::max(max_, other.max_);
        return *this;
    }

    std::uint64_t count() const noexcept { return count_; }
    std::chrono::nanoseconds sum() const noexcept { return nanoseconds(sum_); }
    std::chrono::nanoseconds max() const noexcept { return nanoseconds(max_); }
    std::chrono::nanoseconds mean() const noexcept {
        return nanoseconds(count_ == 0 ? 0 : sum_ / count_);
    }
    /// Returns a duration that this part of all durations does not exceed; 0 without durations.
    ///
    /// @param percent  from 0 to 100
    std::chrono::nanoseconds percentile(double percent) const noexcept {
        const double wanted = percent / 100 * static_cast<double>(count_);
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            seen += counts_[i];
            if (seen != 0 && static_cast<double>(seen) >= wanted)
                return nanoseconds(std::min(highest_of(i), max_));
        }
        return max();
    }

    /// Returns counts by powers of two: place 0 counts durations of 0, and place k those of at
    /// least 2^(k-1) and less than 2^k nanoseconds.
    std::vector<std::uint64_t> by_power() const {
        std::vector<std::uint64_t> all;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            if (counts_[i] == 0) continue;
            const auto power = static_cast<std::size_t>(std::bit_width(highest_of(i)));
            if (power >= all.size()) all.resize(power + 1);
            all[power] += counts_[i];
        }
        return all;
    }

    /// Returns the percentile distribution as HdrHistogram prints it, in microseconds: its plotter
    /// reads this text.
    std::string hgrm() const {
        std::string text = "       Value     Percentile TotalCount 1/(1-Percentile)\n\n";
        std::uint64_t seen = 0;
        char line[96];
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            if (counts_[i] == 0) continue;
            seen += counts_[i];
            const double part = static_cast<double>(seen) / static_cast<double>(count_);
            const double value = static_cast<double>(std::min(highest_of(i), max_)) / 1000;
            std::snprintf(line, sizeof line, "%12.3f %2.12f %10llu", value, part,
                          static_cast<unsigned long long>(seen));
            text += line;
            if (seen != count_) {
                std::snprintf(line, sizeof line, " %14.2f", 1 / (1 - part));
                text += line;
            }
            text += '\n';
        }
        return text;
    }

private:
    static constexpr unsigned part_bits = 6;
    static constexpr std::uint64_t parts = std::uint64_t{1} << part_bits;

    static std::chrono::nanoseconds nanoseconds(std::uint64_t value) noexcept {
        return std::chrono::nanoseconds(static_cast<std::int64_t>(value));
    }
    /// Returns the place that counts a value. Values below two times `parts` have a place each;
    /// above, the places double in width with each power of two.
    static std::size_t place_of(std::uint64_t value) noexcept {
        if (value < 2 * parts) return static_cast<std::size_t>(value);
        const auto shift = static_cast<unsigned>(std::bit_width(value)) - part_bits - 1;
        return static_cast<std::size_t>(shift * parts + (value >> shift));
    }
    static std::uint64_t highest_of(std::size_t place) noexcept {
        if (place < 2 * parts) return place;
        const std::uint64_t shift = place / parts - 1;
        const std::uint64_t first = place - shift * parts;
        return ((first + 1) << shift) - 1;
    }

    std::vector<std::uint32_t> counts_;
    std::uint64_t count_ = 0;
    std::uint64_t sum_ = 0;
    std::uint64_t max_ = 0;
};

}  // namespace wedge
