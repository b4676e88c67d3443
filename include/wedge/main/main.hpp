// WEDGE_MAIN: gives a program of the user's the subcommands of wedge.
#pragma once

#include <vector>

#include "wedge/main/run_main.hpp"
#include "wedge/main/workload_entry.hpp"

namespace wedge {

/// The `main` of a program with these workloads.
template <workload... Workloads>
int main_of(workload_list<Workloads...>, int argc, const char* const* argv) {
    const std::vector<workload_entry> workloads{entry_of<Workloads>()...};
    return run_main(argc, argv, workloads);
}

}  // namespace wedge

/// Defines `main`.
///
///     WEDGE_MAIN(transfer, eviction)     // ./prog explore transfer --seed 7
#define WEDGE_MAIN(...)                                                              \
    int main(int argc, char** argv) {                                                \
        return ::wedge::main_of(::wedge::detail::listed_t<__VA_ARGS__>{}, argc, argv); \
    }
