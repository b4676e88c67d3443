#include "wedge/fuzz/program_text.hpp"

#include <doctest/doctest.h>

#include "wedge/core/rng.hpp"

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

TEST_CASE("input text: has one call per line, and the answers at the end") {
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

TEST_CASE("input text: printing and parsing any bytes gives an equal input") {
    const std::vector<wedge::fuzz_design> all = designs();
    wedge::rng random(5);
    for (int i = 0; i < 500; ++i) {
        std::vector<std::uint8_t> bytes(random.below(90));
        for (std::uint8_t& each : bytes) each = static_cast<std::uint8_t>(random.below(256));
        const wedge::action_program what = wedge::decode(bytes, {3, 3});
        CHECK(wedge::parse_input(wedge::input_text(what, all), all) == what);
    }
}

TEST_CASE("input text: blanks and CR LF line ends are ignored") {
    const std::vector<wedge::fuzz_design> all = designs();
    CHECK(wedge::parse_input("wedge program 1\r\n\r\n  # by hand\r\nworkload  ring<broken>\r\n"
                             "tasks\t2 \r\n  1   second(7) \r\n0 first\r\nanswers  0  3 \r\n",
                             all) ==
          wedge::parse_input("wedge program 1\nworkload ring<broken>\ntasks 2\n1 second(7)\n"
                             "0 first\nanswers 0 3\n",
                             all));
}

TEST_CASE("input text: an error names its file, line and column") {
    const std::vector<wedge::fuzz_design> all = designs();
    const auto refused = [&](const std::string& text, const char* why) {
        CHECK_THROWS_WITH_AS(wedge::parse_input(text, all, "f"), why, wedge::error);
    };
    const char* const no_head = "f:1:1: expected 'wedge program 1' (this build reads version 1)";
    refused("", no_head);
    refused("wedge program 2\n", no_head);
    refused("wedge program 1\n", "f:1:1: expected 'workload NAME'");
    refused("wedge program 1\nworkload x\n",
            "f:2:10: there is no workload 'x'; there is transfer<repaired>, ring<broken>");
    refused("wedge program 1\nworkload ring<broken> x\n",
            "f:2:23: expected the end of the line, found 'x'");
    const std::string head = "wedge program 1\nworkload ring<broken>\ntasks 2\n";
    refused(head + "2 first\n", "f:4:1: expected a number from 0 to 1, found '2'");
    refused(head + "1 fourth\n",
            "f:4:3: there is no action 'fourth'; there is first, second, third");
    refused(head + "1 first(256)\n", "f:4:9: expected a number from 0 to 255, found '256'");
    refused(head + "1 first(2\n", "f:4:3: expected ')'");
    refused(head + "1 first(2) second\n", "f:4:12: expected the end of the line, found 'second'");
    refused(head + "1\n", "f:4:2: there is no action ''; there is first, second, third");
    refused(head + "answers 1 x\n", "f:4:11: expected a number from 0 to 255, found 'x'");
}

}  // namespace program_text_test
