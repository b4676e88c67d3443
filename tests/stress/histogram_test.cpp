#include "wedge/stress/histogram.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include "wedge/core/rng.hpp"

namespace histogram_test {

using std::chrono::nanoseconds;

TEST_CASE("histogram: percentiles are those of the sorted durations, at most 1.6 % above") {
    wedge::rng random(7);
    wedge::histogram all;
    std::vector<std::int64_t> sorted;
    for (int i = 0; i < 20'000; ++i) {
        const auto value = static_cast<std::int64_t>(random.next() >> (24 + random.below(38)));
        all.add(nanoseconds(value));
        sorted.push_back(value);
    }
    std::sort(sorted.begin(), sorted.end());
    CHECK(all.count() == sorted.size());
    CHECK(all.max().count() == sorted.back());
    for (const double percent : {0.1, 1.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
        const auto rank = static_cast<std::size_t>(percent / 100 * 20'000 - 0.5);
        const std::int64_t exact = sorted[std::min(rank, sorted.size() - 1)];
        const std::int64_t shown = all.percentile(percent).count();
        CAPTURE(percent);
        CHECK(shown >= exact);
        CHECK(static_cast<double>(shown) <= static_cast<double>(exact) * 1.016 + 1);
    }
}

TEST_CASE("histogram: a sum of histograms is the histogram of all durations") {
    wedge::histogram one;
    wedge::histogram two;
    wedge::histogram both;
    for (int i = 1; i < 5'000; i += 7) {
        (i % 2 == 0 ? one : two).add(nanoseconds(i * i));
        both.add(nanoseconds(i * i));
    }
    one += two;
    CHECK(one.count() == both.count());
    CHECK(one.sum() == both.sum());
    CHECK(one.max() == both.max());
    CHECK(one.hgrm() == both.hgrm());
    CHECK(wedge::histogram().percentile(50) == nanoseconds(0));
}

TEST_CASE("histogram: the text is that of HdrHistogram, and ends at 1") {
    wedge::histogram all;
    all.add(nanoseconds(1'000));
    all.add(nanoseconds(2'000'000));
    const std::string text = all.hgrm();
    CHECK(text.find("1.007 0.500000000000          1           2.00\n") != std::string::npos);
    CHECK(text.ends_with("2000.000 1.000000000000          2\n"));
}

TEST_CASE("histogram: the counts by powers of two are those of all durations") {
    wedge::histogram all;
    CHECK(all.by_power().empty());
    for (const int each : {0, 1, 2, 3, 4, 1'023, 1'024, 1'025}) all.add(nanoseconds(each));
    CHECK(all.by_power() == std::vector<std::uint64_t>{1, 1, 2, 1, 0, 0, 0, 0, 0, 0, 1, 2});
}

}  // namespace histogram_test
