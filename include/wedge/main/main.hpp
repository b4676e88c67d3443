// WEDGE_MAIN: gives a program of the user's the subcommands of wedge.
#pragma once

#include <cstdio>
#include <span>
#include <vector>

#include "wedge/main/run_main.hpp"
#include "wedge/main/workload_entry.hpp"

namespace wedge {

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
