// Exploration and state search, beside relacy and SPIN, and beside the numbers of theory.
#include "../support/search.hpp"

#include <cstdint>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "wedge/scenario/check.hpp"
#include "wedge/scenario/parse.hpp"

#include "../support/generated.hpp"
#include "explore/workloads.hpp"
#include "sections.hpp"

namespace bench {
namespace {

contender random_walk(const char* name, const char* calls, bool is_checked) {
    const auto all = std::make_shared<search<workloads::abba>>(
        wedge::parse_program(calls), wedge::explore_options{.how = wedge::strategy::random},
        is_checked);
    return {name, [all](std::uint64_t times) {
                for (std::uint64_t i = 0; i < times; ++i) all->run();
            }};
}

contender wedge_check(const program& of, std::int64_t locks) {
    const auto document = std::make_shared<wedge::scenario::document>(
        wedge::scenario::parse(scenario_text(of, locks), "bench.wedge"));
    return {"wedge check", [document](std::uint64_t times) {
                wedge::scenario::check_options options;
                options.explore.executions_max = ~std::uint64_t{0};
                for (std::uint64_t i = 0; i < times; ++i)
                    if (wedge::scenario::check(*document, options).what != "sound")
                        throw std::logic_error("a generated scenario is not sound");
            }};
}

/// SPIN's verifier with partial-order reduction, including the start of its process.
contender spin(const program& of, std::int64_t locks) {
    const auto folder = std::make_shared<scratch_folder>();
    const std::string in_folder = "cd '" + folder->path().string() + "' && ";
    std::ofstream(folder->path() / "bench.pml") << promela_text(of, locks);
    if (seconds_of(in_folder + "spin -a bench.pml >/dev/null && cc -O2 -DSAFETY -w -o pan pan.c") <
        0)
        throw std::runtime_error("spin or the compiler failed");
    return {"SPIN", [folder, in_folder](std::uint64_t times) {
                for (std::uint64_t i = 0; i < times; ++i)
                    if (seconds_of(in_folder + "./pan -m1000 -w18 >report") < 0)
                        throw std::runtime_error("pan failed");
            }};
}

/// Returns the number of orders of all sections of a lock: the multinomial coefficient.
std::uint64_t orders(std::uint64_t tasks, std::uint64_t sections_of_each) {
    std::uint64_t result = 1;
    std::uint64_t placed = 0;
    for (std::uint64_t task = 0; task < tasks; ++task)
        for (std::uint64_t i = 1; i <= sections_of_each; ++i) result = result * ++placed / i;
    return result;
}

}  // namespace

section executions() {
    section made;
    made.title = "Executions under control";
    made.text = "One execution: construct the locks, run all tasks by random decisions.";
    made.has_second_thread = true;
    made.turn_ns = 1e7;
    const auto add = [&](const char* work, const char* calls, int relacy_tasks) {
        made.all.push_back({work,
                            {random_walk("wedge", calls, false),
                             random_walk("with the order checker", calls, true)}});
#if defined(WEDGE_BENCH_RELACY)
        if (relacy_tasks != 0) made.all.back().contenders.push_back(relacy_ordered(relacy_tasks));
#else
        static_cast<void>(relacy_tasks);
#endif
    };
    add("2 tasks lock A, B in order", "ab | ab", 2);
    add("3 tasks lock A, B in order", "ab | ab | ab", 3);
    add("2 tasks in opposite orders, of which half deadlock", "ab | ba", 0);
    return made;
}

section state_searches() {
    section made;
    made.title = "Search over all states";
    made.text =
        "Each task takes three of five locks in order. SPIN's figure includes the start of "
        "its verifier, not the time to compile it.";
    made.has_second_thread = true;
    const bool has_spin = seconds_of("command -v spin >/dev/null") >= 0;
    for (const std::uint32_t tasks : {2U, 4U, 6U, 8U}) {
        constexpr std::uint32_t locks = 5;
        const program of = generated(tasks, locks);
        made.all.push_back({std::to_string(tasks) + " tasks", {wedge_check(of, locks)}});
        if (has_spin) made.all.back().contenders.push_back(spin(of, locks));
    }
    return made;
}

std::string exhausted_beside_theory() {
    std::string table =
        "| work | orders of the sections | executions | left unfinished |\n"
        "|---|---|---|---|\n";
    const auto row = [&](const std::string& work, const char* action, std::int64_t tasks,
                         std::int64_t count, std::uint64_t theory) {
        const wedge::outcome done = wedge::explore<sections>(
            repeated(action, tasks, count),
            {.how = wedge::strategy::exhaustive, .executions_max = 1'000'000});
        table += "| " + work + " | " + std::to_string(theory) + " | " +
                 std::to_string(done.executions) + " | " + std::to_string(done.pruned) + " |\n";
    };
    for (const auto& [tasks, count] :
         {std::pair{2, 1}, {2, 2}, {2, 4}, {3, 1}, {3, 2}, {4, 1}, {5, 1}})
        row(std::to_string(tasks) + " tasks, " + std::to_string(count) +
                (count == 1 ? " section" : " sections") + " each of one lock",
            "together", tasks, count,
            orders(static_cast<std::uint64_t>(tasks), static_cast<std::uint64_t>(count)));
    row("4 tasks, 4 sections each, each task on a lock of its own", "apart", 4, 4, 1);
    return table;
}

}  // namespace bench
