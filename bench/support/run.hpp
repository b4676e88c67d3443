// Runs the benchmarks of a program, with what Google Benchmark lacks.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

namespace bench {

/// Hands all rows to another reporter at once, when the last row has been measured.
///
/// Google Benchmark's CSV reporter takes the names of the columns from the first rows, and aborts
/// when a later row has another counter.
class at_the_end final : public benchmark::BenchmarkReporter {
public:
    explicit at_the_end(std::unique_ptr<benchmark::BenchmarkReporter> to) : to_(std::move(to)) {}

    bool ReportContext(const Context& context) override {
        to_->SetOutputStream(&GetOutputStream());
        to_->SetErrorStream(&GetErrorStream());
        return to_->ReportContext(context);
    }
    void ReportRuns(const std::vector<Run>& rows) override {
        all_.insert(all_.end(), rows.begin(), rows.end());
    }
    void Finalize() override {
        to_->ReportRuns(all_);
        to_->Finalize();
    }

private:
    const std::unique_ptr<benchmark::BenchmarkReporter> to_;
    std::vector<Run> all_;
};

inline std::unique_ptr<benchmark::BenchmarkReporter> csv_reporter() {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    return std::make_unique<at_the_end>(std::make_unique<benchmark::CSVReporter>());
#pragma GCC diagnostic pop
}

/// Runs the benchmarks that the arguments select.
///
/// @param defaults  options that come before those of the command line
/// @return the exit status: 2 for an option that does not exist
inline int run(int argc, char** argv, std::initializer_list<const char*> defaults = {}) {
    std::vector<std::string> words(defaults.begin(), defaults.end());
    words.insert(words.end(), argv + 1, argv + argc);
    const auto has = [&](std::string_view option) {
        return std::any_of(words.begin(), words.end(),
                           [&](const std::string& each) { return each.starts_with(option); });
    };
    const bool shows_csv = has("--benchmark_format=csv");
    const bool writes_csv = has("--benchmark_out=") && has("--benchmark_out_format=csv");

    std::vector<char*> all{argv[0]};
    for (std::string& each : words) all.push_back(each.data());
    int count = static_cast<int>(all.size());
    all.push_back(nullptr);
    benchmark::Initialize(&count, all.data());
    if (benchmark::ReportUnrecognizedArguments(count, all.data())) return 2;
    const auto shown = shows_csv ? csv_reporter() : nullptr;
    const auto written = writes_csv ? csv_reporter() : nullptr;
    benchmark::RunSpecifiedBenchmarks(shown.get(), written.get());
    benchmark::Shutdown();
    return 0;
}

}  // namespace bench

/// The main function of a program of one file; the arguments are options that come before those of
/// the command line. With WEDGE_BENCH_ALL, a source of all files has its own.
#if defined(WEDGE_BENCH_ALL)
#define BENCH_MAIN(...)
#else
#define BENCH_MAIN(...)                                                                 \
    int main(int argc, char** argv) {                                                   \
        return bench::run(argc, argv, std::initializer_list<const char*>{__VA_ARGS__}); \
    }
#endif
