// The order checker over traces: planted inversions, and their repaired twins.
#include "wedge/order/trace_check.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace trace_check_test {
namespace {

struct counts {
    std::size_t findings = 0;
    std::size_t remarks = 0;
    friend bool operator==(const counts&, const counts&) = default;
};

counts of(const std::string& events) {
    wedge::trace_check checked(wedge::parse_trace("wedge-trace 1\n" + events, "test"));
    const wedge::trace_findings& all = checked.run();
    return {all.findings.size(), all.remarks.size()};
}
wedge::finding only_finding(const std::string& events) {
    wedge::trace_check checked(wedge::parse_trace("wedge-trace 1\n" + events, "test"));
    const wedge::trace_findings& all = checked.run();
    REQUIRE(all.findings.size() == 1);
    wedge::finding found = all.findings[0];
    for (wedge::dependency& each : found.cycle) each.held.where = each.wanted.where = {};
    return found;
}

constexpr counts silent{0, 0};
constexpr counts one_finding{1, 0};
constexpr counts one_remark{0, 1};

const std::string forward = "1 acquire 1\n1 acquire 2\n1 release 2\n1 release 1\n";
const std::string backward = "2 acquire 2\n2 acquire 1\n2 release 1\n2 release 2\n";
const std::string same_way = "2 acquire 1\n2 acquire 2\n2 release 2\n2 release 1\n";

TEST_CASE("trace_check: two orders, and one order") {
    CHECK(of(forward + backward) == one_finding);
    CHECK(of(forward + same_way) == silent);
    CHECK(only_finding(forward + backward).signature == "cycle lock 1/EE lock 2/EE");
}

TEST_CASE("trace_check: requests without an answer count, and a guard makes a remark") {
    CHECK(of("1 acquire 1\n2 acquire 2\n1 request 2\n2 request 1\n") == one_finding);
    CHECK(of("1 acquire 1\n1 request 2\n") == silent);
    CHECK(of("1 acquire 3\n" + forward + "1 release 3\n2 acquire 3\n" + backward +
             "2 release 3\n") == one_remark);
}

TEST_CASE("trace_check: one thread, and what a thread did before it had company") {
    const std::string alone = "1 acquire 2\n1 acquire 1\n1 release 1\n1 release 2\n";
    CHECK(of(forward + alone) == one_remark);
    CHECK(of("1 spawn 2\n" + forward + backward) == one_finding);
    CHECK(of(forward + "1 spawn 2\n" + backward) == silent);
}

TEST_CASE("trace_check: trylocks, timed waits and waits for conditions") {
    CHECK(of(forward + "2 acquire 2\n2 try_acquire 1\n2 release 1\n2 release 2\n") == silent);
    CHECK(of(forward + "2 acquire 2\n2 request 1\n2 timed_acquire 1\n2 release 1\n2 release 2\n") ==
          one_finding);
    CHECK(of(forward + "2 acquire 2\n2 give_up 1\n2 release 2\n") == one_finding);
    const std::string wait = "2 wait 7 1\n2 wake 7 1\n";
    CHECK(of(forward + "2 acquire 1\n2 acquire 2\n" + wait + "2 release 2\n2 release 1\n") ==
          one_finding);
    CHECK(of(forward + "2 acquire 1\n" + wait + "2 release 1\n") == silent);
}

TEST_CASE("trace_check: readers") {
    const auto nested = [](const std::string& kind) {
        return "lock 1 " + kind +
               " traced index\n1 read 1\n1 request_read 1\n1 read 1\n1 release 1\n" +
               "1 release 1\n2 acquire 1\n2 release 1\n";
    };
    CHECK(of(nested("shared_mutex")) == one_finding);
    CHECK(of(nested("rwlock")) == silent);
}

TEST_CASE("trace_check: a second acquire, one that waits and one that succeeds") {
    CHECK(only_finding("1 acquire 1\n1 request 1\n").judged == wedge::verdict::observed);
    CHECK(of("1 acquire 1\n1 request 1\n1 acquire 1\n1 release 1\n1 release 1\n") == silent);
    CHECK(of("1 acquire 1\n1 request 1\n1 give_up 1\n1 release 1\n") == one_finding);
    CHECK(of("1 acquire 1\n1 give_up 1\n1 release 1\n") == one_finding);
    CHECK(of("1 acquire 1\n1 try_failed 1\n1 release 1\n") == silent);
    CHECK(of("1 acquire 1\n1 acquire 1\n1 release 1\n" + forward.substr(12) + backward) ==
          one_finding);
}

TEST_CASE("trace_check: locks of one class, and wound/wait mutexes") {
    const auto nested = [](const std::string& kind, bool is_repaired) {
        return "lock 1 " + kind + " traced node#1\nlock 2 " + kind + " traced node#2\n" + forward +
               (is_repaired ? same_way : backward);
    };
    CHECK(of(nested("mutex", false)) == one_finding);
    CHECK(of(nested("mutex", true)) == silent);
    CHECK(of(nested("ww_mutex", false)) == silent);
}

TEST_CASE("trace_check: a release by another thread, and a lock held at the end") {
    CHECK(only_finding("1 acquire 1\n2 release 1\n3 acquire 1\n").kind ==
          wedge::finding_kind::unlock_imbalance);
    CHECK(of("2 release 1\n1 acquire 1\n1 release 1\n") == silent);
    CHECK(only_finding("1 acquire 1\n1 end 0\n").kind == wedge::finding_kind::held_at_exit);
    CHECK(of("1 acquire 1\n1 release 1\n1 end 0\n") == silent);
}

TEST_CASE("trace_check: places are those of the trace") {
    wedge::trace_check checked(
        wedge::parse_trace("wedge-trace 1\nsite 1 pair (a.c:44)\nsite 2 b.cpp:5\nsite 3 0x12\n"
                           "1 acquire 1 @1\n1 acquire 2 @2\n1 release 2\n1 release 1\n"
                           "2 acquire 2 @3\n2 acquire 1\n",
                           "test"));
    const wedge::trace_findings& all = checked.run();
    REQUIRE(all.findings.size() == 1);
    std::string places;
    for (const wedge::dependency& each : all.findings[0].cycle)
        places += to_string(each.held.where) + " " + to_string(each.wanted.where) + " ";
    CHECK(places == "test:9 test:10 a.c:44 b.cpp:5 ");
}

TEST_CASE("trace_check: an order that attributes state") {
    const auto of_stated = [](const std::string& attributes) {
        wedge::trace_check checked(wedge::parse_trace("wedge-trace 1\n" + forward, "test"));
        checked.prime(wedge::stated_by_attributes(attributes, "order.txt"), "order.txt");
        return checked.run().findings.size();
    };
    const std::string locks = "mutex one{\"lock 1\"};\nmutex other ";
    CHECK(of_stated(locks + "ACQUIRED_BEFORE(one){\"lock 2\"};") == 1);
    CHECK(of_stated(locks + "ACQUIRED_AFTER(one){\"lock 2\"};") == 0);
}

TEST_CASE("attributes: declarations, lists and comments") {
    using pairs = std::vector<wedge::stated_pair>;
    const auto read = [](const char* text) { return wedge::stated_by_attributes(text, "a.hpp"); };
    CHECK(
        read("savings: WEDGE_ACQUIRED_AFTER(checking, \"the till\")\n// a: ACQUIRED_AFTER(b)\n") ==
        pairs{{"checking", "savings", 1}, {"the till", "savings", 1}});
    CHECK(read("int x;\nstd::mutex a __attribute__((acquired_before(this->b)));\n"
               "/* c */ std::mutex b;") == pairs{{"a", "b", 2}});
    CHECK(read("Mutex m [[clang::acquired_after(n)]];") == pairs{{"n", "m", 1}});
    CHECK(read("wedge::mutex n{\"node\"};\nwedge::mutex m ACQUIRED_AFTER(n){\"map\"};") ==
          pairs{{"node", "map", 2}});
    CHECK(read("f(\"text\"); // nothing").empty());
    CHECK_THROWS_WITH(read("\n; ACQUIRED_AFTER(a)"),
                      doctest::Contains("a.hpp:2:3: ACQUIRED_AFTER stands behind no lock"));
    CHECK_THROWS_WITH(read("m ACQUIRED_AFTER()"), doctest::Contains("a.hpp:1:3: "));
    CHECK_THROWS_WITH(read("m ACQUIRED_AFTER(a"), doctest::Contains("expected ')'"));
}

TEST_CASE("trace_check: a trace that contradicts itself") {
    CHECK_THROWS_WITH(of("1 acquire 1\n2 acquire 1\n"),
                      "test:3:1: lock 1 is acquired by thread 2 while thread 1 holds it");
}

}  // namespace
}  // namespace trace_check_test
