// The rules on trylocks, readers and nesting, each as a planted bug and its repaired twin.
#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "support/order_checks.hpp"

using notation::check_silent;
using notation::findings_of;
using wedge::evidence;
using wedge::finding;
using wedge::finding_kind;
using wedge::verdict;

namespace {

std::size_t count(const std::vector<finding>& all, finding_kind kind) {
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [&](const finding& f) { return f.kind == kind; }));
}

/// Returns the findings with class evidence. Exact evidence must agree on whether there are any.
std::vector<finding> found_in(const char* text) {
    const std::vector<finding> live = findings_of(text);
    const std::vector<finding> exact = findings_of(text, evidence::exact);
    CAPTURE(text);
    CHECK(live.empty() == exact.empty());
    return live;
}

void check_circular(const char* text) {
    const std::vector<finding> found = found_in(text);
    CAPTURE(text);
    REQUIRE(found.size() == 1);
    CHECK(found[0].kind == finding_kind::circular);
    CHECK(found[0].cycle.size() >= 2);
    for (std::size_t i = 0; i < found[0].cycle.size(); ++i) {
        const wedge::dependency& next = found[0].cycle[(i + 1) % found[0].cycle.size()];
        CHECK(found[0].cycle[i].wanted.class_name == next.held.class_name);
        CHECK(wedge::may_wait(found[0].cycle[i].wanted.how, next.held.how));
        CHECK(next.held.where.is_known());
        CHECK(next.wanted.where.is_known());
    }
    CHECK(found[0].signature == signature_of(found[0]));
}
void check_recursive(const char* text) {
    const std::vector<finding> found = found_in(text);
    CAPTURE(text);
    REQUIRE(found.size() == 1);
    CHECK(found[0].kind == finding_kind::recursive);
    CHECK(found[0].locks.size() == 2);
}

}  // namespace

TEST_CASE("order: an inversion of two locks is found, one order twice is not") {
    check_circular("L(A) L(B) U(B) U(A) | L(B) L(A) U(A) U(B)");
    check_silent("L(A) L(B) U(B) U(A) | L(A) L(B) U(A) U(B)");
}

TEST_CASE("order: cycles of three and four locks are found in any order of discovery") {
    check_circular("L(A) L(B) U(B) U(A) | L(B) L(C) U(C) U(B) | L(C) L(A) U(A) U(C)");
    check_circular("L(A) L(B) U(B) U(A) | L(C) L(A) U(A) U(C) | L(B) L(C) U(C) U(B)");
    check_circular(
        "L(A) L(B) U(B) U(A) | L(B) L(C) U(C) U(B) | L(C) L(D) U(D) U(C) | L(D) L(A) U(A) U(D)");
    check_circular(
        "L(A) L(B) U(B) U(A) | L(C) L(D) U(D) U(C) | L(B) L(C) U(C) U(B) | L(D) L(A) U(A) U(D)");
    check_circular(
        "L(A) L(B) U(B) U(A) | L(C) L(D) U(D) U(C) | L(B) L(D) U(D) U(B) | L(D) L(A) U(A) U(D)");
    check_silent("L(A) L(B) U(B) U(A) | L(B) L(C) U(C) U(B) | L(A) L(C) U(C) U(A)");
    check_silent("L(A) L(B) U(B) U(A) | L(C) L(D) U(D) U(C) | L(B) L(C) U(C) U(B)");
}

TEST_CASE("trylock: a failed trylock records nothing") {
    check_silent("L(A) L(B) U(B) U(A) | L(B) TX(A) U(B)");
}

TEST_CASE("trylock: a successful trylock has outgoing edges only") {
    check_silent("L(A) L(B) U(B) U(A) | L(B) T(A) U(A) U(B)");
    check_silent("L(X.1) T(X.2) U(X.2) U(X.1)");
    check_circular("L(A) L(B) U(B) U(A) | T(B) L(A) U(A) U(B)");
    check_circular("L(A) TR(B) L(C) U(C) U(B) U(A) | L(C) L(B) U(B) U(C)");
}

TEST_CASE("edges: every held lock gets an edge, also beneath a trylock or a recursive read") {
    check_circular("L(A) T(B) L(C) U(C) U(B) U(A) | L(C) L(A) U(A) U(C)");
    check_circular("L(A) RR(B) L(C) U(C) U(B) U(A) | L(C) L(A) U(A) U(C)");
    check_silent("L(A) T(B) L(C) U(C) U(B) U(A) | L(A) L(C) U(C) U(A)");
}

TEST_CASE("chain cache: a trylock chain does not hide the blocking chain") {
    check_circular(
        "L(A) RR(B) L(C) U(C) U(B) U(A) | L(A) TRR(B) L(C) U(C) U(B) U(A) | L(C) L(A) U(A) U(C)");
    check_circular(
        "L(A) T(B) L(C) U(C) U(B) U(A) | L(A) L(B) L(C) U(C) U(B) U(A) | "
        "L(B) L(A) U(A) U(B)");
    check_silent("L(A) T(B) L(C) U(C) U(B) U(A) | L(A) TX(B) L(C) U(C) U(A) | L(B) T(A) U(A) U(B)");
}

TEST_CASE("chain cache: the mode is part of the key") {
    check_circular("RR(A) RR(B) U(B) U(A) | RR(B) RR(A) U(A) U(B) | L(A) L(B) U(B) U(A)");
    check_silent("RR(A) RR(B) U(B) U(A) | RR(B) RR(A) U(A) U(B)");
}

TEST_CASE("chain cache: releasing a lock from the middle leaves the right chain") {
    check_circular("L(A) L(B) T(C) L(D) U(D) U(C) U(B) U(A) | L(D) L(B) U(B) U(D)");
    check_silent("L(A) L(B) T(C) U(B) L(D) U(D) U(C) U(A) | L(D) L(B) U(B) U(D)");
}

TEST_CASE("chain cache: two holds of one class add their instances to the key") {
    wedge::checker checker(evidence::classes);
    notation::player player(checker);
    player.play("RR(X.1) RR(X.2) U(X.2) U(X.1) | RR(X.1) T(X.2) L(Y) U(Y) U(X.2) U(X.1)");
    const std::size_t before = checker.graph().edge_at(1).seen.size();
    player.play("RR(X.3) T(X.4) L(Y) U(Y) U(X.4) U(X.3)");
    CHECK(checker.graph().edge_at(1).seen.size() > before);
    CHECK(checker.findings().empty());
}

TEST_CASE("readers: plain readers in a cycle wait behind a waiting writer") {
    const std::vector<finding> found = found_in("R(A) R(B) U(B) U(A) | R(B) R(A) U(A) U(B)");
    REQUIRE(found.size() == 1);
    CHECK(found[0].graded.needs_writer);
    check_circular("R(A) R(B) U(B) U(A) | R(C) R(A) U(A) U(C) | R(B) R(C) U(C) U(B)");
    check_circular(
        "R(A) R(B) U(B) U(A) | R(C) R(D) U(D) U(C) | R(B) R(D) U(D) U(B) | "
        "R(D) R(A) U(A) U(D)");
}

TEST_CASE("readers: recursive readers in a cycle never wait") {
    check_silent("RR(A) RR(B) U(B) U(A) | RR(B) RR(A) U(A) U(B)");
    check_silent("RR(A) RR(B) U(B) U(A) | RR(B) RR(C) U(C) U(B) | RR(C) RR(A) U(A) U(C)");
    check_silent(
        "RR(A) RR(B) U(B) U(A) | RR(C) RR(D) U(D) U(C) | RR(B) RR(C) U(C) U(B) | "
        "RR(D) RR(A) U(A) U(D)");
}

TEST_CASE("readers: a path is strong unless a recursive read is followed by a shared hold") {
    const char* const wr[] = {"L(X.1) RR(Y.1) U(Y.1) U(X.1)", "L(Y.1) RR(Z.1) U(Z.1) U(Y.1)",
                              "L(Z.1) RR(X.1) U(X.1) U(Z.1)"};
    const char* const ww[] = {"L(X.1) L(Y.1) U(Y.1) U(X.1)", "RR(Y.1) RR(Z.1) U(Z.1) U(Y.1)",
                              "L(Z.1) RR(X.1) U(X.1) U(Z.1)"};
    const char* const weak[] = {"L(X.1) L(Y.1) U(Y.1) U(X.1)", "RR(Y.1) RR(Z.1) U(Z.1) U(Y.1)",
                                "RR(Z.1) L(X.1) U(X.1) U(Z.1)"};
    const char* const weak_too[] = {"L(X.1) RR(Y.1) U(Y.1) U(X.1)", "RR(Y.1) RR(Z.1) U(Z.1) U(Y.1)",
                                    "L(Z.1) L(X.1) U(X.1) U(Z.1)"};
    int order[] = {0, 1, 2};
    do {
        const auto joined = [&](const char* const(&parts)[3]) {
            return std::string(parts[order[0]]) + " | " + parts[order[1]] + " | " + parts[order[2]];
        };
        check_circular(joined(wr).c_str());
        check_circular(joined(ww).c_str());
        check_silent(joined(weak).c_str());
        check_silent(joined(weak_too).c_str());
    } while (std::next_permutation(order, order + 3));
}

TEST_CASE("readers: a class reached on a weak path is reached again on a strong one") {
    check_circular(
        "L(A) RR(B) U(B) U(A) | L(A) L(E) U(E) U(A) | RR(B) L(D) U(D) U(B) | "
        "L(E) L(D) U(D) U(E) | L(D) L(A) U(A) U(D)");
    const std::vector<finding> found = found_in(
        "L(A) RR(B) U(B) U(A) | L(A) L(E) U(E) U(A) | L(E) L(B) U(B) U(E) | "
        "RR(B) L(D) U(D) U(B) | L(D) L(A) U(A) U(D)");
    CHECK(count(found, finding_kind::circular) == 1);
    check_silent("L(A) RR(B) U(B) U(A) | RR(B) L(D) U(D) U(B) | L(D) L(A) U(A) U(D)");
}

TEST_CASE("readers: an edge seen in a new mode is searched again") {
    check_circular("RR(A) RR(B) U(B) U(A) | L(B) RR(A) U(A) U(B) | L(A) RR(B) U(B) U(A)");
    check_circular(
        "RR(A) RR(B) U(B) U(A) | RR(B) RR(A) U(A) U(B) | RR(A) L(B) U(B) U(A) | "
        "RR(B) L(A) U(A) U(B)");
    check_silent("RR(A) RR(B) U(B) U(A) | L(B) RR(A) U(A) U(B) | TRR(A) RR(B) U(B) U(A)");
}

TEST_CASE("readers: a downgraded hold counts as shared") {
    check_circular("L(A) DG(A) L(B) U(B) U(A) | L(B) R(A) U(A) U(B)");
    check_silent("L(A) DG(A) L(B) U(B) U(A) | L(B) RR(A) U(A) U(B)");
    check_circular("L(A) L(B) U(B) U(A) | L(B) RR(A) U(A) U(B)");
}

TEST_CASE("nesting: a second acquire of a class is found unless it is a recursive read") {
    check_recursive("L(X.1) L(X.2)");
    check_recursive("R(X.1) R(X.2)");
    check_recursive("RR(X.1) L(X.2)");
    check_recursive("L(X.1) RR(X.2)");
    check_silent("RR(X.1) RR(X.2)");
    check_silent("R(X.1) RR(X.2)");
    check_silent("L(X.1) U(X.1) L(X.2)");
}

TEST_CASE("nesting: a second acquire of an instance hangs unless all read or it is a trylock") {
    for (const char* hangs : {"L(X.1) L(X.1)", "L(X.1) RR(X.1)", "RR(X.1) L(X.1)"}) {
        check_recursive(hangs);
        CHECK(found_in(hangs)[0].judged == verdict::observed);
        CHECK(found_in(hangs)[0].exact);
    }
    check_recursive("R(X.1) R(X.1)");
    CHECK(found_in("R(X.1) R(X.1)")[0].judged == verdict::unresolved);
    CHECK(found_in("L(X.1) L(X.2)")[0].judged == verdict::unresolved);
    check_silent("RR(X.1) RR(X.1)");
    check_silent("L(X.1) TX(X.1)");
    check_recursive("L(A) SYNC(A) U(A)");
    check_silent("L(A) U(A) SYNC(A)");
}

TEST_CASE("nesting: a class may opt out of the check, but not of the other rules") {
    check_silent("L(N!.1) L(N!.2) U(N!.2) U(N!.1)");
    check_recursive("L(N!.1) L(N!.1)");
    check_circular("NV(N!) L(N!) L(B) U(B) U(N!) | L(B) L(N!) U(N!) U(B)");
}

TEST_CASE("nesting: a cycle over instances of two classes is circular") {
    check_circular("L(X.1) L(Y.1) U(Y.1) U(X.1) | L(Y.1) L(X.1) U(X.1) U(Y.1)");
    check_silent("L(X.1) L(Y.1) U(Y.1) U(X.1) | L(X.2) L(Y.2) U(Y.2) U(X.2)");
}
