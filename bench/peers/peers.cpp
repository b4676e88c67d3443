// Prints the work of wedge beside that of its peers, measured in one run, as Markdown.
//
// Each cell is the median of all rounds. A ratio is the median of the ratios within a round, with
// the middle half of them in brackets.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "sections.hpp"

namespace {

using bench::contender;
using bench::measured;
using bench::section;

/// A thread that waits until the process ends. It makes glibc use atomic instructions.
void start_second_thread() {
    static std::mutex held;
    held.try_lock();  // never released: the thread waits for it; a forked child finds it locked
    std::thread([] { const std::lock_guard never(held); }).detach();
}

std::string time_text(double ns) {
    if (ns < 1e3) return fmt::format("{:.1f} ns", ns);
    if (ns < 1e6) return fmt::format("{:.2f} µs", ns / 1e3);
    return fmt::format("{:.2f} ms", ns / 1e6);
}
/// A ratio from outside of the rounds has no spread.
std::string ratio_text(const bench::spread& of) {
    if (of.upper == 0) return fmt::format("{:.0f}", of.median);
    return fmt::format("{:.2f} [{:.2f}–{:.2f}]", of.median, of.lower, of.upper);
}

/// Runs a command and returns the number that it prints; 0 if it fails.
double number_from(const std::string& command) {
    std::FILE* const out = ::popen(command.c_str(), "r");
    if (out == nullptr) return 0;
    double number = 0;
    const bool has_number = std::fscanf(out, "%lf", &number) == 1;
    return ::pclose(out) == 0 && has_number ? number : 0;
}

/// Measures one contender under the tools that run whole programs.
std::vector<measured> outer_peers(const std::string& program, const std::string& work,
                                  const measured& plain) {
    const std::string rest =
        fmt::format(" --work '{}' --contender '{}' --rounds 3", work, plain.name);
    const std::string valgrind = "valgrind -q --log-file=/dev/null --tool=";
    std::vector<measured> rows;
    const auto add = [&](const char* name, const std::string& command) {
        const double ns = number_from(command + rest + " 2>/dev/null");
        if (ns == 0) return;
        measured row{name};
        row.ns.median = ns;
        row.ratio.median = ns / plain.ns.median;
        rows.push_back(row);
    };
    add("Helgrind", valgrind + "helgrind '" + program + "'");
    add("DRD", valgrind + "drd '" + program + "'");
    if (const std::string tsan = program + "_tsan"; std::filesystem::exists(tsan))
        add("ThreadSanitizer", "TSAN_OPTIONS=detect_deadlocks=1 setarch -R '" + tsan + "'");
    return rows;
}

struct table {
    std::vector<std::string> columns;
    std::vector<std::pair<std::string, std::map<std::string, std::string>>> rows;

    void add(const std::string& row, const std::string& column, const std::string& cell) {
        if (std::find(columns.begin(), columns.end(), column) == columns.end())
            columns.push_back(column);
        if (rows.empty() || rows.back().first != row) rows.push_back({row, {}});
        rows.back().second[column] = cell;
    }
    void print() const {
        fmt::print("| |");
        for (const std::string& column : columns) fmt::print(" {} |", column);
        fmt::print("\n|---|");
        for (std::size_t i = 0; i < columns.size(); ++i) fmt::print("---|");
        for (const auto& [name, cells] : rows) {
            fmt::print("\n| {} |", name);
            for (const std::string& column : columns) {
                const auto cell = cells.find(column);
                fmt::print(" {} |", cell == cells.end() ? "–" : cell->second);
            }
        }
        fmt::print("\n\n");
        std::fflush(stdout);
    }
};

void print_section(const section& of, std::size_t rounds, const std::string& program) {
    fmt::print("## {}\n\n{}\n\n", of.title, of.text);
    std::fflush(stdout);
    table times;
    table instructions;
    for (const bench::comparison& each : of.all) {
        std::vector<measured> rows = bench::compared(each, of.clock, rounds, of.turn_ns);
        if (of.has_outer_peers)
            for (measured& row : outer_peers(program, each.work, rows.front()))
                rows.push_back(std::move(row));
        for (const measured& row : rows)
            times.add(each.work, row.name,
                      &row == &rows.front()
                          ? time_text(row.ns.median)
                          : time_text(row.ns.median) + ", " + ratio_text(row.ratio));
        if (!of.counts_instructions) continue;
        const auto prepare = [&] {
            if (of.has_second_thread) start_second_thread();
        };
        for (const contender& one : each.contenders)
            if (const double count =
                    bench::instructions_of(one, std::min<std::size_t>(rounds, 50), prepare);
                count != 0)
                instructions.add(each.work, one.name, fmt::format("{:.0f}", count));
    }
    times.print();
    if (!instructions.rows.empty()) {
        fmt::print("Instructions:\n\n");
        instructions.print();
    }
}

/// Prints the nanoseconds of one contender alone.
int print_one(const section& of, const std::string& work, const std::string& name,
              std::size_t rounds) {
    for (const bench::comparison& each : of.all)
        for (const contender& one : each.contenders)
            if (each.work == work && one.name == name) {
                // Such a tool compiles the code first, so a turn is long.
                const auto rows = bench::compared({work, {one}}, of.clock, rounds, 5e7);
                fmt::print("{}\n", rows.front().ns.median);
                return 0;
            }
    fmt::print(stderr, "bench_peers: --work '{}' --contender '{}': no such work and contender\n",
               work, name);
    return 2;
}

struct named_section {
    const char* name;
    section (*make)();
};
constexpr std::array sections_in_order {
    named_section{"one-thread", [] { return bench::uncontended(false); }},
        named_section{"several-threads", [] { return bench::uncontended(true); }},
        named_section{"first-sight", bench::first_sight},
        named_section{"threads", bench::contended},
#if !defined(WEDGE_BENCH_LOCKS_ONLY)
        named_section{"executions", bench::executions},
        named_section{"states", bench::state_searches},
#endif
};

}  // namespace

int main(int argc, char** argv) {
    CLI::App options("Measures wedge beside its peers, and prints tables in Markdown.");
    std::string only;
    std::string work;
    std::string name;
    std::size_t rounds = 101;
    bool is_short = false;
    std::vector<std::string> names;
    for (const named_section& each : sections_in_order) names.emplace_back(each.name);
    options.add_option("--only", only, "Print this section alone")->check(CLI::IsMember(names));
    options.add_option("--rounds", rounds, "Rounds of each comparison")->check(CLI::PositiveNumber);
    options.add_flag("--short", is_short, "Print the first work of each section alone");
    auto* const of_work =
        options.add_option("--work", work, "With --contender: print its ns alone");
    of_work->needs(options.add_option("--contender", name, "As a column of the table names it"));
    CLI11_PARSE(options, argc, argv);

    if (!work.empty()) {
        start_second_thread();
        return print_one(bench::uncontended(true), work, name, rounds);
    }
    const std::string program = std::filesystem::canonical("/proc/self/exe").string();
    bool has_second_thread = false;
    for (const named_section& each : sections_in_order) {
        if (!only.empty() && only != each.name) continue;
        section made = each.make();
        if (is_short) made.all.erase(made.all.begin() + 1, made.all.end());
        if (made.has_second_thread && !std::exchange(has_second_thread, true))
            start_second_thread();
        print_section(made, made.clock == bench::time_of::wall ? rounds / 4 + 1 : rounds, program);
    }
#if !defined(WEDGE_BENCH_LOCKS_ONLY)
    if (only.empty())
        fmt::print("## Executions until a program is exhausted\n\n{}",
                   bench::exhausted_beside_theory());
#endif
    return 0;
}
