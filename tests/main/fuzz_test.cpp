// `fuzz show` describes a saved input, and refuses an input of other workloads.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "wedge/fuzz/engine.hpp"
#include "wedge/fuzz/report.hpp"
#include "wedge/lock/guard.hpp"
#include "wedge/lock/mutex.hpp"
#include "wedge/main/files.hpp"
#include "wedge/main/workload_entry.hpp"

#include "main/fake_program.hpp"

namespace fuzz_command_test {

template <bool Renamed>
struct exchange {
    wedge::mutex a{"a"}, b{"b"};

    void there() { take(a, b); }
    void back() { take(b, a); }
    static void take(wedge::mutex& one, wedge::mutex& other) {
        const wedge::guard first(one);
        const wedge::guard second(other);
    }
    static constexpr auto actions =
        wedge::actions(wedge::action<&exchange::there>{Renamed ? "forth" : "there"},
                       wedge::action<&exchange::back>{"back"});
    static constexpr const char* name = "exchange";
};

}  // namespace fuzz_command_test

using namespace fuzz_command_test;

TEST_CASE("fuzz show: a saved input is shown, and refused by other workloads") {
    const scratch_folder here;
    wedge::fuzz_group group({wedge::fuzz_design_of<exchange<false>>()});
    wedge::fuzz_engine engine(group, 1);
    std::optional<wedge::fuzz_sighting> seen;
    while (!seen && engine.executions() < 10'000) seen = engine.step();
    REQUIRE(seen);
    static_cast<void>(wedge::report_of(*seen, group, "./target", ""));
    const std::vector<std::string> inputs = here.files(".input");
    REQUIRE(inputs.size() == 1);
    const std::string text = wedge::read_text(inputs[0]);
    const std::vector<std::uint8_t> bytes(text.begin(), text.end());
    CHECK(wedge::decode(bytes, group.counts()) ==
          seen->input);  // the trailer is not decoded as a record

    const std::vector<wedge::workload_entry> mine{wedge::entry_of<exchange<false>>()};
    const std::vector<wedge::workload_entry> other{wedge::entry_of<exchange<true>>()};
    const called shown = call_program(mine, {"fuzz", "show", inputs[0].c_str()});
    CHECK(shown.status == 1);
    CHECK(shown.out.find("confirmed deadlock") != std::string::npos);
    const called refused = call_program(other, {"fuzz", "show", inputs[0].c_str()});
    CHECK(refused.status == 2);
    CHECK(refused.err.find("is an input of other workloads (fingerprint ") != std::string::npos);
    CHECK(call_program(other, {"fuzz", "decode", inputs[0].c_str()}).status == 2);

    wedge::write_text("raw", std::string(3, '\0'));
    const called raw = call_program(mine, {"fuzz", "show", "raw"});
    CHECK(raw.status == 0);
    CHECK(raw.out.find("it has no fingerprint") != std::string::npos);
}
