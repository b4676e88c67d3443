#include "wedge/fuzz/program_text.hpp"

#include <doctest/doctest.h>

#include "wedge/base/rng.hpp"

#include "fuzz/sample_workloads.hpp"

namespace program_text_test {
namespace {

std::vector<wedge::fuzz_design> designs() {
    std::vector<wedge::fuzz_design> all;
    all.push_back(wedge::fuzz_design_of<samples::transfer<true>>());
    all.push_back(wedge::fuzz_design_of<samples::ring<false>>());
    return all;
}

}  // namespace

TEST_CASE("input text: one call a line, and the answers at the end") {
    const std::string text =
        "wedge program 1\n"
        "workload ring<broken>\n"
        "tasks 2\n"
        "1 second(7)\n"
        "0 first\n"
        "answers 0 3\n";
    const wedge::action_program read = wedge::parse_input(text, designs());
    CHECK(read.design == 1);
    CHECK(read.records == std::vector<wedge::action_record>{{1, 1, 7}, {0, 0, 0}});
    CHECK(wedge::input_text(read, designs()) == text);
    CHECK(wedge::encode(read) == std::vector<std::uint8_t>{1, 1, 2, 0x21, 7, 0, 0, 0, 3});
}

TEST_CASE("input text: what is printed of any bytes is read back as it was") {
    const std::vector<wedge::fuzz_design> all = designs();
    wedge::rng random(5);
    for (int i = 0; i < 500; ++i) {
        std::vector<std::uint8_t> bytes(random.below(90));
        for (std::uint8_t& each : bytes) each = static_cast<std::uint8_t>(random.below(256));
        const wedge::action_program what = wedge::decode(bytes, {3, 3});
        CHECK(wedge::parse_input(wedge::input_text(what, all), all) == what);
    }
}

TEST_CASE("input text: a mistake is named with its file and line") {
    const std::vector<wedge::fuzz_design> all = designs();
    const auto refused = [&](const char* text, const char* why) {
        CHECK_THROWS_WITH_AS(wedge::parse_input(text, all, "f"), why, wedge::error);
    };
    refused("wedge program 2\n", "f:1: expected 'wedge program 1' (this build reads version 1)");
    refused("wedge program 1\nworkload x\n",
            "f:2: there is no workload 'x'; there is transfer<repaired>, ring<broken>");
    const std::string head = "wedge program 1\nworkload ring<broken>\ntasks 2\n";
    refused((head + "2 first\n").c_str(), "f:4: expected a number from 0 to 1, found '2'");
    refused((head + "1 fourth\n").c_str(), "f:4: there is no action 'fourth'");
    refused((head + "1 first(256)\n").c_str(), "f:4: expected a number from 0 to 255, found '256'");
}

}  // namespace program_text_test
