// WEDGE_FUZZ: makes a libFuzzer target of workloads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "wedge/core/finding.hpp"
#include "wedge/fuzz/design.hpp"
#include "wedge/workload/workload.hpp"

namespace wedge::detail {

template <workload... Workloads>
std::vector<fuzz_design> fuzz_designs_of(workload_list<Workloads...>) {
    return {fuzz_design_of<Workloads>()...};
}

}  // namespace wedge::detail

/// The workloads of this program's WEDGE_FUZZ.
std::vector<wedge::fuzz_design> wedge_fuzz_designs();

namespace wedge {

/// Fuzzes the workloads of this program's WEDGE_FUZZ by a loop of wedge's own, which needs no
/// libFuzzer and keeps no corpus. One source of the program implements it (docs/quick_start.md).
///
/// Blocks until an input shows something real, or so many inputs were run. The same seed runs the
/// same inputs.
///
/// @return the finding, with a schedule that repeats it; nothing: no input has shown one
std::optional<finding> fuzz(std::uint64_t inputs_max, std::uint64_t seed = 1);

}  // namespace wedge

/// Makes a libFuzzer target of one or more workloads. The same source is a target for AFL++ and
/// Centipede, and as a shared library AFL++'s mutator for it (docs/fuzzing.md). One source of the
/// program implements the target (docs/quick_start.md).
///
///     WEDGE_FUZZ(transfer, eviction)     // ./prog -max_total_time=60 --design=eviction corpus/
#define WEDGE_FUZZ(...)                                                                    \
    std::vector<wedge::fuzz_design> wedge_fuzz_designs() {                                 \
        return ::wedge::detail::fuzz_designs_of(::wedge::detail::listed_t<__VA_ARGS__>{}); \
    }

#if defined(WEDGE_IMPLEMENT)
#include "wedge/implement/fuzz.hpp"
#include "wedge/implement/order.hpp"
#endif
