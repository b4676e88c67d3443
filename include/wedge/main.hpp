// WEDGE_MAIN: gives a program of the user's the subcommands of wedge.
#pragma once

#include <cstdio>
#include <memory>
#include <span>
#include <vector>

#include "wedge/main/workload_entry.hpp"

namespace wedge {

class subcommand;  // main/subcommand.hpp
/// Makes a subcommand that one program has beside those of all programs.
using subcommand_maker = std::unique_ptr<subcommand> (*)();

/// Runs a whole program: reads the command line, runs the subcommand, returns the exit status.
/// One source of the program implements this function (docs/quick_start.md).
///
/// Prints results to `out`. Misuse and unreadable input are one line on `err` and status 2.
///
/// @param more  subcommands of this program alone, behind those that all programs have
int run_main(int argc, const char* const* argv, std::span<const workload_entry> workloads,
             std::FILE* out = stdout, std::FILE* err = stderr,
             std::span<const subcommand_maker> more = {});

namespace detail {

template <workload... Workloads>
std::vector<workload_entry> entries_of(workload_list<Workloads...>) {
    return {entry_of<Workloads>()...};
}

}  // namespace detail

/// The `main` of a program with these workloads, or with those of one `workload_list`.
///
/// @param more  subcommands of this program alone
template <class... Workloads>
int main_of(int argc, const char* const* argv, std::span<const subcommand_maker> more = {}) {
    const std::vector<workload_entry> workloads =
        detail::entries_of(detail::listed_t<Workloads...>{});
    return run_main(argc, argv, workloads, stdout, stderr, more);
}

}  // namespace wedge

/// Defines `main`.
///
///     WEDGE_MAIN(transfer, eviction)     // ./prog explore transfer --seed 7
#define WEDGE_MAIN(...)                                   \
    int main(int argc, char** argv) {                     \
        return ::wedge::main_of<__VA_ARGS__>(argc, argv); \
    }

#if defined(WEDGE_IMPLEMENT)
#include "wedge/implement/main.hpp"
#endif
