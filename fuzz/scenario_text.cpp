// Fuzzes the reader of scenarios: any text is read or refused with its place, and what was read is
// printed as a text that means the same.
//
// corpus: scenarios
// ctest: random_1_of_2 -runs=20000 -seed=1 -max_len=256 => Done 20000 runs
// ctest: random_2_of_2 -runs=20000 -seed=2 -max_len=256 => Done 20000 runs
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "wedge/core/check.hpp"
#include "wedge/fuzz/coverage.hpp"
#include "wedge/scenario/parse.hpp"
#include "wedge/scenario/print.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    wedge::count_execution();
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    wedge::scenario::document read;
    try {
        read = wedge::scenario::parse(text, "input.wedge");
    } catch (const wedge::error& refused) {
        WEDGE_CHECK(std::string_view(refused.what()).starts_with("input.wedge:"));
        return 0;
    }
    const std::string printed = wedge::scenario::to_string(read);
    const wedge::scenario::document again = wedge::scenario::parse(printed, "input.wedge");
    WEDGE_CHECK(again == read);
    WEDGE_CHECK(wedge::scenario::to_string(again) == printed);
    return 0;
}
