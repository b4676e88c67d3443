#include "wedge/workload/program.hpp"

#include <doctest/doctest.h>

namespace {

std::string message_of(const char* text) {
    try {
        static_cast<void>(wedge::parse_program(text));
    } catch (const wedge::error& e) {
        return e.what();
    }
    return "";
}

}  // namespace

TEST_CASE("program: parsing the printed text gives an equal value") {
    const wedge::program tasks = {{{"fault", 0}, {"evict", 3}}, {{"fault", 1}}};
    CHECK(to_string(tasks) == "fault, evict(3) | fault(1)");
    CHECK(wedge::parse_program(to_string(tasks)) == tasks);
    CHECK(wedge::parse_program("  fault ,evict( 3 )|fault(1) ") == tasks);
}

TEST_CASE("program: an error names its column") {
    CHECK(message_of("") == "program:1: expected the name of an action, found the end");
    CHECK(message_of("a | ") == "program:5: expected the name of an action, found the end");
    CHECK(message_of("a b") == "program:3: expected ',' or '|', found 'b'");
    CHECK(message_of("a(x)") == "program:3: expected a number below 2^32, found 'x'");
    CHECK(message_of("a(5000000000)") == "program:3: expected a number below 2^32, found '5'");
    CHECK(message_of("a(5") == "program:4: expected ')', found the end");
}
