// Wound/wait: tickets, the waits that they excuse, and the rules for their use.
#include <string>

#include <doctest/doctest.h>

#include "support/order_checks.hpp"

using notation::check_only;
using notation::check_silent;
using notation::findings_of;
using notation::kinds_in;
using wedge::finding_kind;

namespace {

void check_rule(const std::string& text) {
    check_only(finding_kind::ww_rule, text);
}

}  // namespace

TEST_CASE("ww: locks under one ticket nest in any order") {
    check_silent(
        "C(t.1) W(o.1;t.1) W(o.2;t.1) U(o.2) U(o.1) F(t.1) | "
        "C(t.2) W(o.2;t.2) W(o.1;t.2) U(o.1) U(o.2) D(t.2) F(t.2)");
    check_silent("W(o.1) U(o.1) W(o.2) U(o.2)");
}

TEST_CASE("ww: without a ticket a task must not wait while it holds a lock of the class") {
    check_rule("W(o.1) W(o.2)");
    check_rule("WT(o.1) W(o.2)");
    check_rule("C(t.1) W(o.1;t.1) W(o.2)");
    check_rule("C(t.1) W(o.1;t.1) WT(o.2) W(o.3;t.1)");
    check_silent("W(o.1) WT(o.2) U(o.2) U(o.1)");
    check_silent("WT(o.1) WT(o.2) U(o.2) U(o.1)");
    check_silent("C(t.1) W(o.1;t.1) WT(o.2) U(o.2) U(o.1) F(t.1)");
    check_only(finding_kind::recursive, "W(o.1) W(o.1)");
}

TEST_CASE("ww: a lock taken in between is ordered before the second lock") {
    check_only(finding_kind::circular,
               "C(t.1) W(o.1;t.1) L(X) W(o.2;t.1) U(o.2) U(X) U(o.1) F(t.1)");
    check_only(finding_kind::circular,
               "C(t.1) W(o.1;t.1) L(X) U(X) U(o.1) F(t.1) | L(X) C(t.2) W(o.2;t.2)");
    check_silent("L(X) C(t.1) W(o.1;t.1) W(o.2;t.1) U(o.2) U(o.1) F(t.1) U(X)");
}

TEST_CASE("ww: an acquire with a ticket does not hide one without") {
    const auto found = kinds_in(
        "C(t.1) W(o.1;t.1) L(X) W(o.2;t.1) U(o.2) U(X) U(o.1) F(t.1) | "
        "C(t.1) W(o.1) L(X) W(o.2) U(o.2) U(X) U(o.1) F(t.1)");
    CHECK(found == std::vector{finding_kind::circular, finding_kind::ww_rule});
}

TEST_CASE("ww: a spinlock and a ww_mutex are ordered as any locks") {
    check_only(finding_kind::circular,
               "L(A) U(A) | W(o.1) L(A) U(A) U(o.1) L(A) W(o.1) U(o.1) U(A)");
    check_silent("L(A) U(A) | WT(o.1) L(A) U(A) U(o.1) L(A) WT(o.1) U(o.1) U(A)");
    check_silent("W(o.1) L(A) U(A) U(o.1)");
}

TEST_CASE("ticket: it is ordered like a held lock") {
    check_only(finding_kind::circular, "C(t.1) L(X) U(X) F(t.1) | L(X) C(t.2) F(t.2) U(X)");
    check_silent("L(X) C(t.1) F(t.1) U(X) | L(X) C(t.2) F(t.2) U(X)");
    CHECK(findings_of("C(t.1) L(A) L(B) U(B) U(A) F(t.1) | C(t.2) L(B) L(A) U(A) U(B) F(t.2)")
              .at(0)
              .graded.guard.empty());
}

TEST_CASE("ticket: one ticket of a class at a time, and none while its locks are held") {
    check_rule("C(t.1) C(t.2)");
    check_silent("C(t.1) F(t.1) C(t.2) F(t.2)");
    check_silent("C(t.1) C(u.1;class=p) F(u.1) F(t.1)");
    for (const char* const take : {"W(o.1)", "WT(o.1)"}) check_rule(std::string(take) + " C(t.1)");
    check_silent("W(o.1) C(t.1;class=p) U(o.1) F(t.1)");
}

TEST_CASE("ticket: it takes only locks of its class, between its begin and done") {
    check_rule("C(t.1;class=none) W(o.1;t.1)");
    check_rule("W(o.1;t.1)");
    check_rule("C(t.1) F(t.1) W(o.1;t.1)");
    check_rule("C(t.1) D(t.1) W(o.1;t.1)");
    check_rule("C(t.1) D(t.1) D(t.1)");
    check_silent("C(t.1) W(o.1;t.1) D(t.1) U(o.1) F(t.1)");
    check_silent("C(t.1) D(t.1) WT(o.1) U(o.1) F(t.1)");
}

TEST_CASE("ticket: it ends once, and only without locks") {
    check_only(finding_kind::unlock_imbalance, "C(t.1) D(t.1) F(t.1) F(t.1)");
    check_only(finding_kind::unlock_imbalance, "D(t.1)");
    check_rule("C(t.1) W(o.1;t.1) D(t.1) F(t.1)");
    check_silent("C(t.1) W(o.1;t.1) U(o.1) F(t.1)");
}

TEST_CASE("ww: each lock is released once") {
    check_only(finding_kind::unlock_imbalance, "W(o.1) U(o.1) U(o.1)");
    check_only(finding_kind::unlock_imbalance,
               "C(t.1) W(o.1;t.1) W(o.2;t.1) U(o.1) U(o.1) U(o.2) F(t.1)");
    check_only(finding_kind::unlock_imbalance,
               "C(t.1) W(o.1;t.1) SET(t.1.acquired=0) U(o.1) F(t.1)");
}

TEST_CASE("ww: a lock that the ticket holds already answers at once") {
    check_silent(
        "C(t.1) W(o.1;t.1) W(o.1;t.1)=EALREADY TX(o.1) W(o.1;t.2)=EDEADLK U(o.1) WT(o.1) "
        "U(o.1) F(t.1)");
    check_only(finding_kind::recursive, "C(t.1) W(o.1;t.1) W(o.1)");
    check_only(finding_kind::recursive, "C(t.1) WT(o.1) W(o.1;t.1)");
}

TEST_CASE("back-off: all locks are released, then the contended lock is taken, by either path") {
    const std::string before = "EXT(o.2;t.2) EXT(o.3;t.3) C(t.1) W(o.1;t.1) W(o.2;t.1)=EDEADLK ";
    for (const char* const take : {"W", "WS"}) {
        const std::string word = take;
        check_silent(before + "U(o.1) EXTU(o.2) " + word + "(o.2;t.1) W(o.1;t.1) U(o.1) U(o.2)");
        check_rule(before + "EXTU(o.2) " + word + "(o.2;t.1)");
        check_rule(before + "EXTU(o.3) " + word + "(o.3;t.1)");
        check_rule(before + "U(o.1) EXTU(o.3) " + word + "(o.3;t.1)");
        check_rule(before + word + "(o.3;t.1)=EDEADLK");
        check_rule(before + "U(o.1) " + word + "(o.4;t.1)");
    }
    check_silent(before + "U(o.1) F(t.1)");
}

TEST_CASE("back-off: the slow path is only for a contended lock") {
    check_rule("C(t.1) WS(o.1;t.1)");
    check_rule("EXT(o.2;t.2) C(t.1) W(o.2;t.1)=EDEADLK EXTU(o.2) WS(o.2;t.1) WS(o.3;t.1)");
    check_silent("EXT(o.2;t.2) C(t.1) W(o.2;t.1)=EDEADLK EXTU(o.2) WS(o.2;t.1) W(o.3;t.1)");
}

TEST_CASE("ww: a class opted out of nesting still has its tickets checked") {
    check_silent("W(o!.1) W(o!.2) U(o!.2) U(o!.1)");
    check_rule("C(t.1;class=o!) D(t.1) W(o!.1;t.1)");
}

TEST_CASE("ww: in a live program, a validated chain is valid for all tickets and transactions") {
    wedge::checker checker(wedge::evidence::classes);
    notation::player player(checker);
    const auto seen = [&] { return checker.graph().edge_at(0).seen.size(); };
    player.play("C(t.1) W(o.1;t.1) L(X) U(X) U(o.1) F(t.1)");
    const std::size_t before = seen();
    player.play("C(t.2) W(o.2;t.2) L(X) U(X) U(o.2) F(t.2)");
    CHECK(seen() == before);
}
