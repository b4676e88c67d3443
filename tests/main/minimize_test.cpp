#include <csignal>

#include <doctest/doctest.h>

#include "wedge/main/files.hpp"

#include "main/fake_program.hpp"
#include "main/sample_scenarios.hpp"

namespace minimize_test {

constexpr const char* padded =
    "# Two orders.\n"
    "lock gate rwsem\nlock a mutex\nlock b mutex x3\ncounter K = 0\n"
    "thread one x2 {\n    read gate\n    lock a\n    yield  # pause\n    lock b[2]  # inner\n"
    "    unlock b[2]\n    unlock a\n    unlock gate\n}\n"
    "thread two {\n    if K == 0 {\n        lock b[2]\n        lock a\n        unlock a\n"
    "        unlock b[2]\n    } else {\n        add K 1\n    }\n}\n"
    "thread idle {\n    yield\n}\n";
constexpr const char* smallest =
    "# Two orders.\n"
    "lock a mutex\nlock b mutex\n"
    "thread one {\n    lock a\n    lock b[0]  # inner\n    unlock b[0]\n    unlock a\n}\n"
    "thread two {\n    lock b[0]\n    lock a\n    unlock a\n    unlock b[0]\n}\n";

TEST_CASE(
    "minimize: removes statements that the deadlock does not need, and keeps comments in place") {
    const scratch_folder here;
    wedge::write_text("a.wedge", std::string(padded) + "expect deadlock\n");
    const called result = call_program({}, {"minimize", "a.wedge"});
    CHECK(result.status == 0);
    CHECK(result.out == std::string(smallest) + "expect deadlock\n");
    CHECK(result.err.starts_with("bank: a.wedge: deadlock; 14 statements became 8, "));
    const called again = call_program({}, {"minimize", "a.wedge", "-o", "b.wedge"});
    CHECK(again.out == "");
    CHECK(wedge::read_text("b.wedge") == result.out);
    CHECK(call_program({}, {"check", "b.wedge"}).status == 0);
}

TEST_CASE(
    "minimize: without an expectation keeps the finding, and exits with the status of check") {
    const scratch_folder here;
    wedge::write_text("a.wedge", padded);
    const called result = call_program({}, {"minimize", "a.wedge"});
    CHECK(result.status == 1);
    CHECK(result.out == smallest);
}

TEST_CASE("minimize: a sound scenario cannot be minimised") {
    const scratch_folder here;
    wedge::write_text("a.wedge", ordered_text);
    const called result = call_program({}, {"minimize", "a.wedge", "-o", "b.wedge"});
    CHECK(result.status == 0);
    CHECK(result.out == "");
    CHECK(result.err == "bank: a.wedge: sound, there is nothing to minimize\n");
    CHECK(here.files(".wedge").size() == 1);
}

TEST_CASE("minimize: can keep only the finding of the order pass") {
    const scratch_folder here;
    wedge::write_text("a.wedge",
                      "lock a mutex\nlock b mutex\nthread one {\n    lock a\n    lock b\n"
                      "    unlock a\n}\nexpect finding held-at-exit\n");
    const called result = call_program({}, {"minimize", "--order-only", "a.wedge"});
    CHECK(result.status == 0);
    CHECK(result.out == "lock b mutex\nthread one {\n    lock b\n}\nexpect finding held-at-exit\n");
}

}  // namespace minimize_test
