#include "wedge/report/dot.hpp"

#include <doctest/doctest.h>

#include "report/golden.hpp"
#include "report/sample_findings.hpp"

TEST_CASE("dot: a cycle is a ring of locks and tasks") {
    check_golden("circular_confirmed.dot",
                 wedge::dot_of(samples::circular(wedge::verdict::confirmed)));
    check_golden("deadlock_of_three.dot", wedge::dot_of(samples::deadlock_of_three()));
}

TEST_CASE("dot: every other finding has a picture too") {
    check_golden("lost_wakeup.dot", wedge::dot_of(samples::lost_wakeup()));
    check_golden("unlock_imbalance.dot", wedge::dot_of(samples::unlock_imbalance()));
    CHECK(wedge::dot_of(samples::nested(1, 1)).find("layout=dot") != std::string::npos);
    CHECK(wedge::dot_of(wedge::finding{}).ends_with("}\n"));
}

TEST_CASE("dot: names cannot break out of their labels") {
    wedge::finding found = samples::circular(wedge::verdict::unresolved);
    found.what.clear();
    for (wedge::dependency& edge : found.cycle) {
        edge.task = "a<b>&\"c\"\n";
        edge.held.class_name += "\"\\<i>";
        edge.wanted.class_name += "\"\\<i>";
    }
    const std::string text = wedge::dot_of(found);
    CHECK(text.find("\"lock a\\\"\\\\<i>\"") != std::string::npos);
    CHECK(text.find("<B>a&quot;\\&lt;i&gt;</B>") != std::string::npos);
    CHECK(text.find("<B>a&lt;b&gt;&amp;&quot;c&quot; </B>") != std::string::npos);
}
