#include <doctest/doctest.h>

#include "wedge/main/files.hpp"

#include "main/fake_program.hpp"
#include "main/sample_scenarios.hpp"

namespace graph_test {

TEST_CASE("graph: prints a digraph, or saves it") {
    const scratch_folder here;
    wedge::write_text("abba.wedge", abba_text);
    const called printed = call_program({}, {"graph", "abba.wedge"});
    CHECK(printed.status == 0);
    CHECK(printed.err == "");
    CHECK(printed.out.starts_with("digraph lock_order {\n"));
    CHECK(printed.out.find("<B>abba.wedge: deadlock</B>") != std::string::npos);
    CHECK(printed.out.find("label=\"one at abba.wedge:5\"") != std::string::npos);
    CHECK(printed.out.find("confirmed deadlock: ") != std::string::npos);
    CHECK(call_program({}, {"graph", "abba.wedge", "-o", "a.dot"}).out == "");
    CHECK(wedge::read_text("a.dot") == printed.out);
}

TEST_CASE("graph: --order-only gives no verdict") {
    const scratch_folder here;
    wedge::write_text("abba.wedge", abba_text);
    const called printed = call_program({}, {"graph", "--order-only", "abba.wedge"});
    CHECK(printed.out.find("possible deadlock: ") != std::string::npos);
}

TEST_CASE("graph: --annotations states the order, and no order within a cycle") {
    const scratch_folder here;
    wedge::write_text("ordered.wedge",
                      "lock a mutex\nlock b mutex\nlock c mutex\n"
                      "thread one {\n    lock a\n    lock b\n    lock c\n}\n");
    CHECK(call_program({}, {"graph", "--annotations", "ordered.wedge"}).out ==
          "b: WEDGE_ACQUIRED_AFTER(a)\nc: WEDGE_ACQUIRED_AFTER(a, b)\n");
    wedge::write_text("abba.wedge", abba_text);
    const called cycle = call_program({}, {"graph", "--annotations", "abba.wedge"});
    CHECK(cycle.status == 0);
    CHECK(cycle.out.find("WEDGE_ACQUIRED_AFTER") == std::string::npos);
    CHECK(cycle.out.find(" is part of a cycle\n") != std::string::npos);
}

TEST_CASE("graph: Graphviz draws a picture, or the message names the missing package") {
    const scratch_folder here;
    wedge::write_text("abba.wedge", abba_text);
    const called drawn = call_program({}, {"graph", "abba.wedge", "-o", "a.svg"});
    if (drawn.status == 0) {
        CHECK(wedge::read_text("a.svg").find("<svg") != std::string::npos);
        CHECK(here.files(".dot").empty());
    } else {
        CHECK(drawn.status == 2);
        CHECK(drawn.err ==
              "bank: a.svg: Graphviz's dot is missing or failed; the digraph is in "
              "a.svg.dot\n");
    }
}

}  // namespace graph_test
