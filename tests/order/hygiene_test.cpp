// Mistakes with single locks.
#include <doctest/doctest.h>

#include "support/notation.hpp"

using wedge::finding_kind;

namespace {

void check_one(const std::vector<wedge::finding>& found, finding_kind kind) {
    REQUIRE(found.size() == 1);
    CHECK(found[0].kind == kind);
    CHECK(found[0].judged == wedge::verdict::observed);
    REQUIRE(!found[0].locks.empty());
    CHECK(found[0].locks[0].where.is_known());
}

}  // namespace

TEST_CASE("unlock: a lock that is not held is found, a held one is not") {
    for (const char* twice : {"L(A) U(A) U(A)", "R(A) U(A) U(A)", "RR(A) U(A) U(A)"})
        check_one(notation::findings_of(twice), finding_kind::unlock_imbalance);
    check_one(notation::findings_of("L(A) | U(A)"), finding_kind::unlock_imbalance);
    CHECK(notation::findings_of("L(A) U(A) L(A) U(A)").empty());
}

TEST_CASE("unlock: two holds of one class are not merged") {
    check_one(notation::findings_of("RR(X.1) RR(X.2) U(X.1) U(X.1)"),
              finding_kind::unlock_imbalance);
    CHECK(notation::findings_of("RR(X.1) RR(X.2) U(X.1) U(X.2)").empty());
}

TEST_CASE("unlock: the checker still checks acquires after a mistake") {
    const auto found = notation::findings_of("L(A) U(B) L(B) U(B) U(A) | L(B) L(A) U(A) U(B)");
    REQUIRE(found.size() == 2);
    CHECK(found[0].kind == finding_kind::unlock_imbalance);
    CHECK(found[1].kind == finding_kind::circular);
}

TEST_CASE("initialised again: a held lock is found, a free one is not") {
    for (const char* held : {"L(A) INIT(A)", "RR(A) INIT(A)"})
        check_one(notation::findings_of(held), finding_kind::held_when_destroyed);
    CHECK(notation::findings_of("L(A) U(A) INIT(A)").empty());
    CHECK(notation::findings_of("L(A) | INIT(A)").empty());
}

TEST_CASE("downgrade: a lock that is not held for writing is found") {
    check_one(notation::findings_of("DG(A)"), finding_kind::bad_downgrade);
    check_one(notation::findings_of("R(A) DG(A) U(A)"), finding_kind::bad_downgrade);
    CHECK(notation::findings_of("L(A) DG(A) U(A)").empty());
}

TEST_CASE("task end: locks still held are found, all in one finding") {
    for (const bool leaves : {true, false}) {
        wedge::checker checker(wedge::evidence::classes);
        notation::player player(checker);
        wedge::task& self = player.add_task();
        player.play(self, leaves ? "L(A) R(B)" : "L(A) R(B) U(B) U(A)");
        wedge::detail::task_ended(self);
        if (leaves) {
            check_one(checker.findings(), finding_kind::held_at_exit);
            CHECK(checker.findings()[0].locks.size() == 2);
            CHECK(checker.findings()[0].what == "task 0 ended holding A, B");
        } else {
            CHECK(checker.findings().empty());
        }
    }
}

TEST_CASE("destroy: a lock that the destroying task holds is found") {
    for (const bool holds : {true, false}) {
        wedge::checker checker(wedge::evidence::classes);
        wedge::task self;
        self.sink = &checker;
        wedge::task* const before = std::exchange(wedge::detail::current_task, &self);
        wedge::lock_identity other(wedge::lock_kind::mutex, wedge::lock_class("A"));
        {
            wedge::lock_identity lock(wedge::lock_kind::mutex, wedge::lock_class("B"));
            wedge::lock_identity& taken = holds ? lock : other;
            const wedge::detail::acquire_terms terms{.where = wedge::site::current()};
            wedge::detail::attempt(self, taken, terms);
            wedge::detail::acquired(self, taken, terms);
        }
        wedge::detail::current_task = before;
        self.held.clear();
        if (holds)
            check_one(checker.findings(), finding_kind::held_when_destroyed);
        else
            CHECK(checker.findings().empty());
    }
}
