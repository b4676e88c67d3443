// Fuzzes the engine against a second opinion: bytes choose a scenario, which an independent
// interpreter and `wedge check` must decide alike.
//
// clang-format off
// ctest: short -runs=100 -seed=1 => Done 100 runs
// clang-format on
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "wedge/fuzz/coverage.hpp"
#include "wedge/implement/scenario.hpp"  // a fuzz target compiles no wedge::main
#include "wedge/scenario/parse.hpp"
#include "wedge/scenario/print.hpp"

#include "input_choices.hpp"
#include "oracle/compare.hpp"
#include "oracle/engine.cpp"  // a fuzz target is one source
#include "oracle/generate.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    wedge::count_execution();
    input_choices choices(data, size);
    const wedge::scenario::document all =
        wedge::scenario::parse(oracle::generator<input_choices>(choices, ~0U).scenario(), "input");
    const oracle::comparison_result found =
        oracle::compare(all, {oracle::way::states, oracle::way::exhaustive}, 100);
    if (!found.differs()) return 0;
    std::fprintf(stderr, "%sSUMMARY: wedge: %s\n", wedge::scenario::to_string(all).c_str(),
                 found.text().c_str());
    std::abort();
}
