// Grades: the evidence for a cycle, and the observations that support it.
#include <doctest/doctest.h>

#include "support/notation.hpp"

using notation::findings_of;
using wedge::evidence;
using wedge::finding;
using wedge::verdict;

namespace {

finding only(const char* text, evidence kept = evidence::exact) {
    const std::vector<finding> found = findings_of(text, kept);
    REQUIRE(found.size() == 1);
    return found[0];
}

}  // namespace

TEST_CASE("guard: a lock around both orders refutes the cycle, only with exact evidence") {
    const char* const text = "L(G) L(A) L(B) U(B) U(A) U(G) | L(G) L(B) L(A) U(A) U(B) U(G)";
    CHECK(only(text).graded.guard == "G");
    CHECK(only(text).judged == verdict::refuted);
    CHECK(only(text).reason == "guarded by G");
    CHECK(only(text, evidence::classes).graded.guard == "G");
    CHECK(only(text, evidence::classes).judged == verdict::unresolved);
}

TEST_CASE("guard: it must be the same instance, exclusive, and from before the first lock") {
    for (const char* text :
         {"L(G.1) L(A) L(B) U(B) U(A) U(G.1) | L(G.2) L(B) L(A) U(A) U(B) U(G.2)",
          "R(G) L(A) L(B) U(B) U(A) U(G) | L(G) L(B) L(A) U(A) U(B) U(G)",
          "L(G) DG(G) L(A) L(B) U(B) U(A) U(G) | L(G) L(B) L(A) U(A) U(B) U(G)",
          "L(G) L(A) L(B) U(B) U(A) U(G) | L(G) L(B) U(G) L(A) U(A) U(B)",
          "L(G) L(A) L(B) U(B) U(A) U(G) | L(B) L(A) U(A) U(B)"}) {
        CAPTURE(text);
        CHECK(only(text).graded.guard.empty());
        CHECK(only(text).judged == verdict::unresolved);
    }
    const finding tried = only("T(G) L(A) L(B) U(B) U(A) U(G) | T(G) L(B) L(A) U(A) U(B) U(G)");
    CHECK(tried.graded.guard == "G");
}

TEST_CASE("guard: an unguarded repetition withdraws the guard for good") {
    wedge::checker checker(evidence::exact);
    notation::player player(checker);
    wedge::task& first = player.add_task();
    wedge::task& second = player.add_task();
    player.play(first, "L(G) L(A) L(B) U(B) U(A) U(G)");
    player.play(second, "L(G) L(B) L(A) U(A) U(B) U(G)");
    REQUIRE(checker.findings().size() == 1);
    finding found = checker.findings()[0];
    CHECK(found.judged == verdict::refuted);
    checker.regrade(found);
    CHECK(found.judged == verdict::refuted);
    player.play(first, "L(A) L(B) U(B) U(A)");
    CHECK(checker.findings().size() == 1);
    checker.regrade(found);
    CHECK(found.judged == verdict::unresolved);
    CHECK(found.graded.guard.empty());
    CHECK(found.reason.empty());
    player.play(first, "L(G) L(A) L(B) U(B) U(A) U(G)");
    checker.regrade(found);
    CHECK(found.judged == verdict::unresolved);
    CHECK(found.signature == checker.findings()[0].signature);
}

TEST_CASE("needs a writer: only if every wait is a read behind a read") {
    CHECK(only("R(A) R(B) U(B) U(A) | R(B) R(A) U(A) U(B)").graded.needs_writer);
    CHECK_FALSE(only("R(A) R(B) U(B) U(A) | R(B) L(A) U(A) U(B)").graded.needs_writer);
}

TEST_CASE("one task: graded so if one task took both orders, and never refuted by it") {
    const finding alone = only("L(A) L(B) U(B) U(A) L(B) L(A) U(A) U(B)");
    CHECK(alone.graded.one_task);
    CHECK(alone.judged == verdict::unresolved);
    CHECK_FALSE(only("L(A) L(B) U(B) U(A) | L(B) L(A) U(A) U(B)").graded.one_task);
}

TEST_CASE("class only: graded so until the instances meet") {
    CHECK(only("L(A.1) L(B.1) U(B.1) U(A.1) | L(B.2) L(A.2) U(A.2) U(B.2)").graded.class_only);
    CHECK_FALSE(
        only("L(A.1) L(B.1) U(B.1) U(A.1) | L(B.1) L(A.1) U(A.1) U(B.1)").graded.class_only);
    wedge::checker checker(evidence::exact);
    notation::player player(checker);
    player.play("L(A.1) L(B.1) U(B.1) U(A.1) | L(B.2) L(A.2) U(A.2) U(B.2)");
    finding found = checker.findings().at(0);
    CHECK(found.graded.class_only);
    player.play("L(B.1) L(A.1) U(A.1) U(B.1)");
    checker.regrade(found);
    CHECK_FALSE(found.graded.class_only);
    CHECK(found.cycle[0].wanted.instance == found.cycle[1].held.instance);
    CHECK(found.cycle[1].wanted.instance == found.cycle[0].held.instance);
}

TEST_CASE("explanation: the observations share their instances and come from different tasks") {
    const finding found = only(
        "L(A.2) L(B.2) U(B.2) U(A.2) | L(A.1) L(B.1) U(B.1) U(A.1) | L(B.1) L(A.1) U(A.1) U(B.1)");
    CHECK(found.what == "B -> A here, A -> B before");
    REQUIRE(found.cycle.size() == 2);
    CHECK(found.cycle[0].task == "task 2");
    CHECK(found.cycle[1].task == "task 1");
    CHECK(found.cycle[0].held.where.line == 9);
    CHECK(found.cycle[0].wanted.where.line == 10);
    CHECK(found.cycle[1].held.where.line == 5);
    CHECK(found.cycle[1].wanted.where.line == 6);
}

TEST_CASE("explanation: the default text names both sites of every edge") {
    CHECK(wedge::detail::plain_text_of(only("L(A) L(B) U(B) U(A) | L(B) L(A) U(A) U(B)")) ==
          "possible deadlock: B -> A here, A -> B before\n"
          "  holding  B taken at notation:5 by task 1\n"
          "  taking   A at notation:6\n"
          "  earlier  A -> B at notation:2 by task 0, A taken at notation:1\n");
}
