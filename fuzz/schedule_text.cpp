// Fuzzes the reader of schedules and of programs: any text is read or refused with its place, and
// what was read is printed as a text that means the same.
//
// ctest: short -runs=20000 -seed=1 -max_len=256 => Done 20000 runs
#include "wedge/core/schedule_text.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "wedge/core/check.hpp"
#include "wedge/fuzz/coverage.hpp"
#include "wedge/workload/program.hpp"

namespace {

/// @param read  (text) -> value; throws wedge::error
template <class Read>
void round_trip(std::string_view text, std::string_view refusal, Read read) {
    decltype(read(text)) value;
    try {
        value = read(text);
    } catch (const wedge::error& refused) {
        WEDGE_CHECK(std::string_view(refused.what()).starts_with(refusal));
        return;
    }
    const std::string printed = to_string(value);
    WEDGE_CHECK(read(printed) == value);
    WEDGE_CHECK(to_string(read(printed)) == printed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    wedge::count_execution();
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    round_trip(
        text, "input:", [](std::string_view from) { return wedge::parse_schedule(from, "input"); });
    round_trip(text, "program:", [](std::string_view from) { return wedge::parse_program(from); });
    return 0;
}
