// Nested locks of one class: subclasses, declared orders, nest locks.
#include <string>

#include <doctest/doctest.h>

#include "support/order_checks.hpp"

using notation::check_only;
using notation::check_silent;
using notation::findings_of;
using wedge::evidence;
using wedge::finding;
using wedge::finding_kind;
using wedge::verdict;

TEST_CASE("subclass: it excuses nesting two locks, but not a lock within itself") {
    check_silent("L(X.1) SUB(X.2;1) U(X.2) U(X.1)");
    check_only(finding_kind::recursive, "SUB(X.1;1) SUB(X.2;1) U(X.2) U(X.1)");
    check_only(finding_kind::recursive, "L(X.1) SUB(X.1;1) U(X.1)");
}

TEST_CASE("subclass: two locks nested in both orders are found under all subclasses") {
    check_only(finding_kind::instance_order,
               "L(A.1) SUB(A.2;1) U(A.2) U(A.1) | L(A.2) SUB(A.1;1) U(A.1) U(A.2)");
    check_silent("L(A.1) SUB(A.2;1) U(A.2) U(A.1) | L(A.1) SUB(A.2;2) U(A.2) U(A.1)");
    const std::vector<finding> found = findings_of(
        "L(A.1) SUB(A.2;1) U(A.2) U(A.1) | L(A.2) SUB(A.3;1) U(A.3) U(A.2) | "
        "L(A.3) SUB(A.1;1) U(A.1) U(A.3)");
    REQUIRE(found.size() == 1);
    CHECK(found[0].what == "A[3] -> A/1[1] here, A[1] -> A/1[2], A[2] -> A/1[3] before");
    check_silent(
        "L(A.1) SUB(A.2;1) U(A.2) U(A.1) | L(A.2) SUB(A.3;1) U(A.3) U(A.2) | "
        "L(A.1) SUB(A.3;1) U(A.3) U(A.1)");
}

TEST_CASE("subclass: two subclasses nested in both orders are found for all instances") {
    check_only(finding_kind::instance_order,
               "L(X.1) SUB(X.2;1) U(X.2) U(X.1) | SUB(X.3;1) L(X.4) U(X.4) U(X.3)");
    const std::vector<finding> found = findings_of(
        "L(X.1) SUB(X.2;1) U(X.2) U(X.1) | SUB(X.3;1) L(X.4) U(X.4) U(X.3)", evidence::exact);
    CHECK(found.at(0).graded.class_only);
    check_silent("L(X.1) SUB(X.2;1) U(X.2) U(X.1) | SUB(X.3;1) U(X.3) L(X.4) U(X.4)");
}

TEST_CASE("subclass: it hides no cycle with another class") {
    for (const char* text : {"L(A.1) L(B) U(B) U(A.1) | L(B) SUB(A.1;1) U(A.1) U(B)",
                             "L(A.1) L(B) U(B) U(A.1) | L(B) SUB(A.2;1) U(A.2) U(B)",
                             "SUB(A.1;2) L(B) U(B) U(A.1) | L(B) SUB(A.1;1) U(A.1) U(B)"})
        check_only(finding_kind::circular, text);
    const auto class_only = [](const char* text) {
        return findings_of(text, evidence::exact).at(0).graded.class_only;
    };
    CHECK(class_only("L(A.1) L(B) U(B) U(A.1) | L(B) SUB(A.2;1) U(A.2) U(B)"));
    CHECK_FALSE(class_only("L(A.1) L(B) U(B) U(A.1) | L(B) SUB(A.1;1) U(A.1) U(B)"));
    check_silent("L(A.1) SUB(A.2;1) L(B) U(B) U(A.2) U(A.1) | SUB(A.1;1) L(B) U(B) U(A.1)");
}

TEST_CASE("subclass: nestings under a common lock are refuted, nestings without it are not") {
    const char* const guarded =
        "L(G) L(A.1) SUB(A.2;1) U(A.2) U(A.1) U(G) | L(G) L(A.2) SUB(A.1;1) U(A.1) U(A.2) U(G)";
    wedge::checker checker(evidence::exact);
    notation::player player(checker);
    player.play(guarded);
    REQUIRE(checker.findings().size() == 1);
    CHECK(checker.findings()[0].judged == verdict::refuted);
    finding early = checker.findings()[0];
    player.play("L(A.1) SUB(A.2;1) U(A.2) U(A.1)");
    checker.regrade(early);
    CHECK(early.judged == verdict::unresolved);
    player.play("L(A.3) SUB(A.4;1) U(A.4) U(A.3) | L(A.4) SUB(A.3;1) U(A.3) U(A.4)");
    REQUIRE(checker.findings().size() == 2);
    CHECK(checker.findings()[1].judged == verdict::unresolved);
}

TEST_CASE("subclass: in a live program, too many nestings are one finding") {
    wedge::checker checker(evidence::classes);
    notation::player player(checker);
    const auto nest = [&](int number) {
        const std::string outer = "(A." + std::to_string(number);
        const std::string inner = "(A." + std::to_string(number + 1);
        player.play("L" + outer + ") SUB" + inner + ";1) U" + inner + ") U" + outer + ")");
    };
    constexpr int most = 16'384;
    for (int i = 0; i < most; ++i) nest(2 * i);
    CHECK(checker.findings().empty());
    nest(2 * most);
    nest(2 * most + 2);
    REQUIRE(checker.findings().size() == 1);
    CHECK(checker.findings()[0].kind == finding_kind::capacity);
}

TEST_CASE("declared order: every nesting is compared with it, also in a validated chain") {
    check_only(finding_kind::instance_order,
               "CMP(A) L(A.1) L(A.2) U(A.2) U(A.1) | L(A.2) L(A.1) U(A.1) U(A.2)");
    check_only(finding_kind::instance_order, "CMP(A) L(A.3) SUB(A.1;1) U(A.1) U(A.3)");
    check_only(finding_kind::recursive, "CMP(A) L(A.1) L(A.1)");
    check_silent("CMP(A) L(A.1) L(A.2) L(A.3) U(A.1) L(A.4) U(A.4) U(A.3) U(A.2)");
    check_silent("CMP(A) L(A.2) T(A.1) U(A.1) U(A.2)");
    check_only(finding_kind::circular, "CMP(A) L(A.1) L(B) U(B) U(A.1) | L(B) L(A.2) U(A.2) U(B)");
}

TEST_CASE("nest lock: must be held, also where other locks are held") {
    check_only(finding_kind::nest_not_held, "N(A;M) U(A)");
    check_only(finding_kind::nest_not_held, "N(A@spin;o.1) U(A@spin)");
    check_only(finding_kind::nest_not_held, "L(M) N(A;M) U(A) U(M) | L(X) N(A;M) U(A) U(X)");
    check_only(finding_kind::nest_not_held, "L(M.1) N(A;M.1) U(A) U(M.1) | L(M.1) N(A;M.2) U(A)");
    check_silent("L(M) N(A;M) U(A) U(M)");
    check_silent("W(o.1) N(A;o.1) U(A) U(o.1)");
}

TEST_CASE("nest lock: held exclusively it serialises the locks nested beneath it") {
    check_silent(
        "L(M) N(A.1;M) N(A.2;M) U(A.2) U(A.1) U(M) | L(M) N(A.2;M) N(A.1;M) U(A.1) U(A.2) U(M)");
    check_only(finding_kind::recursive, "R(M) N(A.1;M) N(A.2;M) U(A.2) U(A.1) U(M)");
    check_only(finding_kind::recursive, "L(M) N(A.1;M) L(A.2) U(A.2) U(A.1) U(M)");
    check_only(finding_kind::recursive, "L(M) N(A.1;M) N(A.1;M)");
}

TEST_CASE("nest lock: a lock taken in between is ordered before the second lock") {
    check_only(finding_kind::circular, "L(M) N(A.1;M) L(X) N(A.2;M) U(A.2) U(X) U(A.1) U(M)");
    check_only(finding_kind::circular, "L(A.1) L(M) N(A.2;M) U(A.2) U(M) U(A.1)");
    check_silent("L(M) L(X) N(A.1;M) N(A.2;M) U(A.2) U(A.1) U(X) U(M)");
}
