// Fuzzes the order checker against the truth: bytes choose a program of locks, an exhaustive search
// of its interleavings says whether it deadlocks, and the checker must have seen it coming.
//
// clang-format off
// ctest: short -runs=1000 -seed=1 => Done 1000 runs
// clang-format on
#include "support/order_truth.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "wedge/fuzz/coverage.hpp"

#include "input_choices.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    wedge::count_execution();
    input_choices choices(data, size);
    const order_truth::program program = order_truth::make(choices);
    const bool deadlocks = order_truth::oracle(program).deadlocks();
    const std::string mistake = order_truth::mistake_about(program, deadlocks);
    if (mistake.empty()) return 0;
    std::fprintf(stderr, "SUMMARY: wedge: order checker: %s\n", mistake.c_str());
    std::abort();
}
