// Prints which engine finds the bug of each design, and after how many executions: the table of
// docs/roles.md. Arguments select designs by name.
//
// The columns: the order checker while one task calls every action; fuzzing from an empty corpus
// (the median of three seeds), and the smallest program that it came to; exploration of this
// program, up to what the design expects. Exit status 1: a broken design was missed, or the sound
// one was not.
//
// clang-format off
// ctest: sound when=plain,asan device<upstream> => `device<upstream>` \| - \| - \|
// ctest: inverted when=plain,asan device<imap_before_reclaim> => `device<imap_before_reclaim>` \| [0-9]+ \| [0-9]+ \| `.*` \| [0-9]+ \|
// ctest: eviction when=plain gpu_device<eviction_without_ticket> => \| - \| [0-9]+ \| `.*` \| [0-9]+ \|
// clang-format on
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wedge/explore.hpp"
#include "wedge/fuzz/engine.hpp"
#include "wedge/model/device_list.hpp"

namespace {

using namespace wedge;

/// The number of executions until it was found; nothing: it was not found.
using cost = std::optional<std::uint64_t>;

constexpr std::uint64_t order_max = 100;
constexpr std::uint64_t explore_max = 4000;
constexpr std::uint64_t fuzz_max = 4000;

std::string text_of(const cost& of) {
    return of ? std::to_string(*of) : "-";
}

/// Returns the smallest budget with which a search finds it. Searches are deterministic, so a
/// larger budget repeats the executions of a smaller one.
template <class FindsWithin>
cost least(std::uint64_t most, FindsWithin finds_within) {
    std::uint64_t enough = 1;
    while (enough < most && !finds_within(enough)) enough = std::min(2 * enough, most);
    if (enough == most && !finds_within(most)) return std::nullopt;
    std::uint64_t few = enough / 2;
    while (enough - few > 1) {
        const std::uint64_t middle = few + (enough - few) / 2;
        (finds_within(middle) ? enough : few) = middle;
    }
    return enough;
}

/// Returns whether the finding is of the order checker alone, without a deadlock.
bool is_of_order(const finding& found) {
    return found.kind == finding_kind::circular || found.kind == finding_kind::recursive ||
           found.kind == finding_kind::ww_rule;
}

template <workload W>
cost ordered() {
    program alone(1);
    for (const std::uint32_t argument : {0U, 1U})
        for (const std::string& name : action_names<W>()) alone[0].push_back({name, argument});
    return least(order_max, [&](std::uint64_t executions) {
        const outcome done =
            explore<W>(alone, {.how = strategy::random, .executions_max = executions});
        return std::any_of(done.findings.begin(), done.findings.end(), is_of_order);
    });
}

template <workload W>
cost explored(const program& calls) {
    return least(explore_max, [&](std::uint64_t executions) {
        const outcome done = explore<W>(calls, {.executions_max = executions});
        return done.what <= std::min(W::expects, result::finding);
    });
}

struct fuzz_result {
    cost executions;
    std::string program;
};

template <workload W>
fuzz_result fuzzed() {
    std::vector<fuzz_result> all;
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        fuzz_group group({fuzz_design_of<W>()});
        fuzz_engine engine(group, seed);
        if (const std::optional<fuzz_sighting> shown = engine.run(fuzz_max))
            all.push_back({engine.executions(), shown->what.best.program});
    }
    if (all.size() < 2) return {};
    std::sort(all.begin(), all.end(), [](const fuzz_result& a, const fuzz_result& b) {
        return a.executions < b.executions;
    });
    return all[1];
}

/// Markdown ends a cell at a bar, even in code.
std::string in_a_cell(const std::string& text) {
    std::string escaped;
    for (const char c : text) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
    return escaped;
}

/// @return whether the engines came to the result that the design expects
template <workload W>
bool print_row(std::span<const char* const> wanted) {
    const std::string name = workload_name<W>();
    if (!wanted.empty() && std::none_of(wanted.begin(), wanted.end(),
                                        [&](std::string_view each) { return each == name; }))
        return true;
    const cost by_order = ordered<W>();
    const fuzz_result by_fuzzing = fuzzed<W>();
    cost by_search;
    if (by_fuzzing.executions) by_search = explored<W>(parse_program(by_fuzzing.program));
    const std::string program =
        by_fuzzing.executions ? "`" + in_a_cell(by_fuzzing.program) + "`" : std::string("-");
    std::printf("| `%s` | %s | %s | %s | %s |\n", name.c_str(), text_of(by_order).c_str(),
                text_of(by_fuzzing.executions).c_str(), program.c_str(),
                text_of(by_search).c_str());
    std::fflush(stdout);
    return W::expects == result::sound ? !by_order && !by_fuzzing.executions
                                       : by_search && by_fuzzing.executions;
}

template <workload... Workloads>
bool print_table(workload_list<Workloads...>, std::span<const char* const> wanted) {
    std::printf(
        "| design | order checker, one task | fuzzing | its program | exploration |\n"
        "|---|---|---|---|---|\n");
    std::array<bool, sizeof...(Workloads)> as_expected{print_row<Workloads>(wanted)...};
    return std::all_of(as_expected.begin(), as_expected.end(), [](bool each) { return each; });
}

}  // namespace

int main(int argc, char** argv) {
    const std::span<const char* const> wanted(argv + 1, argv + argc);
    return print_table(device_list{}, wanted) ? 0 : 1;
}
