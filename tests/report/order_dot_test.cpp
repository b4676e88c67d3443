#include "wedge/report/order_dot.hpp"

#include <doctest/doctest.h>

#include "report/golden.hpp"
#include "report/sample_findings.hpp"

namespace order_dot_test {

wedge::order_picture picture(wedge::verdict judged) {
    wedge::order_picture drawn;
    drawn.title = "abba.wedge: deadlock";
    drawn.classes = {"a", "b", "alone"};
    const wedge::finding found = samples::circular(judged);
    drawn.edges = found.cycle;
    wedge::dependency outer = found.cycle.front();
    outer.held.class_name = "outer";
    drawn.edges.push_back(outer);
    drawn.findings = {found};
    return drawn;
}

TEST_CASE("order picture: the cycle has a colour and a verdict, the rest is grey") {
    check_golden("lock_order.dot", wedge::dot_of(picture(wedge::verdict::confirmed)));
}

TEST_CASE("order picture: a refuted cycle is dashed") {
    const std::string text = wedge::dot_of(picture(wedge::verdict::refuted));
    CHECK(text.find("style=dashed") != std::string::npos);
    CHECK(wedge::dot_of(picture(wedge::verdict::confirmed)).find("style=dashed") ==
          std::string::npos);
}

TEST_CASE("order picture: pseudo-locks and contexts look different from locks") {
    wedge::order_picture drawn;
    const wedge::lock_class map("a map of orders", {.never_waits = true});
    wedge::dependency edge;
    edge.held.class_name = "a map of orders";
    edge.held.class_id = map.id();
    edge.wanted.class_name = "hardirq context";
    edge.wanted.class_id = wedge::detail::class_of(wedge::context::hardirq).id();
    drawn.edges = {edge};
    const std::string text = wedge::dot_of(drawn);
    CHECK(text.find("\"a map of orders\" [shape=octagon") != std::string::npos);
    CHECK(text.find("\"hardirq context\" [shape=cds") != std::string::npos);
    CHECK(text.find("a pseudo-lock, which orders") != std::string::npos);
    CHECK(text.find("an interrupt context") != std::string::npos);
}

TEST_CASE("order picture: an arrow names few of its sites and counts the others") {
    wedge::order_picture drawn;
    for (unsigned line = 1; line <= 5; ++line) {
        wedge::dependency edge;
        edge.held.class_name = "a";
        edge.wanted.class_name = "b";
        edge.wanted.where = wedge::site{"dir/f.c", "", line};
        edge.task = "t";
        drawn.edges.push_back(edge);
    }
    CHECK(wedge::dot_of(drawn).find(
              "label=\"t at f.c:1\\nt at f.c:2\\nt at f.c:3\\nand 2 more\"") != std::string::npos);
}

}  // namespace order_dot_test
