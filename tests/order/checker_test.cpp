// The checker as an object: its sink, its memory, stated orders, several threads.
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "support/order_checks.hpp"

using notation::collector;
using wedge::evidence;
using wedge::finding;
using wedge::finding_kind;
using wedge::lock_class;
using wedge::mode;

namespace {

constexpr const char* inversion = "L(A) L(B) U(B) U(A) | L(B) L(A) U(A) U(B)";

}  // namespace

TEST_CASE("findings: one per signature, and the checker goes on") {
    collector heard;
    wedge::checker checker(evidence::classes, &heard);
    notation::player player(checker);
    player.play(inversion);
    player.play(inversion);
    CHECK(heard.all.size() == 1);
    player.play("L(C) L(D) U(D) U(C) | L(D) L(C) U(C) U(D)");
    REQUIRE(heard.all.size() == 2);
    CHECK(checker.findings().size() == 2);
    CHECK(heard.all[1].signature == "cycle C/EE D/EE");
    checker.report_to(nullptr);
    player.play("L(E) L(F) U(F) U(E) | L(F) L(E) U(E) U(F)");
    CHECK(heard.all.size() == 2);
    CHECK(checker.findings().size() == 3);
}

TEST_CASE(
    "findings: of several cycles through one edge the shortest come first, and all are counted") {
    wedge::checker checker(evidence::classes);
    notation::player player(checker);
    player.play(
        "L(A) L(B) U(B) U(A) | L(A) L(C) U(C) U(A) | L(C) L(B) U(B) U(C) | "
        "L(A) L(D) U(D) U(A) | L(D) L(B) U(B) U(D) | L(D) L(C) U(C) U(D) | "
        "L(B) L(A) U(A) U(B)");
    REQUIRE(checker.findings().size() == 3);
    CHECK(checker.findings()[0].cycle.size() == 2);
    CHECK(checker.findings()[1].cycle.size() == 3);
    for (const finding& found : checker.findings()) CHECK(found.cycles == 4);
}

TEST_CASE("findings: cycles that cannot be counted are a finding") {
    wedge::checker checker(evidence::classes);
    notation::player player(checker);
    std::string all;
    for (int i = 0; i < 12; ++i) all += "L(K" + std::to_string(i) + ") ";
    player.play(all);  // a cycle for every subset of the locks in between
    CHECK(checker.findings().empty());
    player.play("L(K11) L(K0)");
    REQUIRE(checker.findings().size() == 4);
    CHECK(checker.findings()[0].cycle.size() == 2);
    CHECK(checker.findings()[0].cycles == 1000);
    CHECK(checker.findings()[3].kind == finding_kind::capacity);
}

TEST_CASE("reset: the checker forgets all, and learns it again with equal findings") {
    for (const evidence kept : {evidence::classes, evidence::exact}) {
        wedge::checker checker(kept);
        std::vector<std::string> first;
        for (int round = 0; round < 3; ++round) {
            notation::player player(checker);
            player.play("L(B) L(A) U(A) U(B)");
            CHECK(checker.findings().empty());
            player.play("L(A) L(B) U(B) U(A) | L(A) U(A) U(A)");
            std::vector<std::string> texts;
            for (const finding& found : checker.findings())
                texts.push_back(wedge::detail::plain_text_of(found));
            CHECK(texts.size() == 2);
            if (round == 0) first = texts;
            CHECK(texts == first);
            checker.reset();
            CHECK(checker.findings().empty());
            CHECK(checker.graph().nodes() == 0);
            CHECK(checker.graph().edges() == 0);
        }
    }
}

TEST_CASE("executions: edges of different executions close a cycle") {
    wedge::checker checker(evidence::exact);
    for (const char* execution : {"L(A) L(B) U(B) U(A)", "| L(B) L(A) U(A) U(B)"}) {
        notation::player player(checker);
        player.lock_named("A");
        player.lock_named("B");
        player.play(execution);
    }
    REQUIRE(checker.findings().size() == 1);
    CHECK_FALSE(checker.findings()[0].graded.class_only);
    CHECK_FALSE(checker.findings()[0].graded.one_task);
}

TEST_CASE("prime: the first path against a stated order is a finding") {
    wedge::checker checker(evidence::exact);
    const unsigned line = __LINE__ + 1;
    checker.prime({{lock_class("A"), mode::shared}, {lock_class("B")}, {lock_class("C")}});
    notation::player player(checker);
    player.play("R(A) L(B) L(C) U(C) U(B) U(A)");
    CHECK(checker.findings().empty());
    player.play("L(C) L(A) U(A) U(C)");
    REQUIRE(checker.findings().size() == 2);
    const finding& found = checker.findings()[0];
    CHECK(found.what == "C -> A here, A -> C before");
    CHECK(found.graded.guard.empty());
    CHECK_FALSE(found.graded.one_task);
    wedge::checker unseen(evidence::exact);
    unseen.prime({{lock_class("A"), mode::shared}, {lock_class("C")}});
    notation::player(unseen).play("L(G) L(C) L(A) U(A) U(C) U(G)");
    REQUIRE(unseen.findings().size() == 1);
    CHECK(unseen.findings()[0].cycle[1].primed);
    CHECK(unseen.findings()[0].cycle[1].wanted.where.line > line);
    CHECK(unseen.findings()[0].graded.guard.empty());
}

TEST_CASE("prime: contradicting statements are a finding without any path") {
    wedge::checker checker(evidence::classes);
    checker.prime({{lock_class("A")}, {lock_class("B")}});
    CHECK(checker.findings().empty());
    checker.prime({{lock_class("B")}, {lock_class("A")}});
    CHECK(checker.findings().size() == 1);
}

TEST_CASE("prime: a stated recursive read waits only for a writer") {
    wedge::checker checker(evidence::classes);
    checker.prime({{lock_class("A"), mode::shared}, {lock_class("B"), mode::recursive_shared}});
    notation::player(checker).play("RR(B) RR(A) U(A) U(B)");
    CHECK(checker.findings().empty());
    notation::player(checker).play("L(B) L(A) U(A) U(B)");
    CHECK(checker.findings().size() == 1);
}

TEST_CASE("held before a sink listened: the chain is computed again") {
    wedge::checker checker(evidence::classes);
    notation::player player(checker);
    wedge::task& self = player.add_task();
    player.play(self, "L(A)");
    self.held[0].chain = 0;
    player.play(self, "L(B) U(B) U(A)");
    self.sink = nullptr;
    player.play(self, "L(C)");
    self.sink = &checker;
    self.held[0].chain = 0;
    player.play(self, "L(B) U(B) U(C)");
    CHECK(checker.graph().edges() == 2);
}

TEST_CASE("threads: the findings do not depend on which thread comes first") {
    constexpr int threads = 4;
    constexpr int classes = 24;
    for (int round = 0; round < 5; ++round) {
        wedge::checker checker(evidence::classes);
        std::vector<std::thread> all;
        for (int t = 0; t < threads; ++t) {
            all.emplace_back([&checker, t] {
                wedge::task self;
                self.sink = &checker;
                self.ordinal = static_cast<std::uint32_t>(t);
                for (int i = 0; i < 200; ++i) {
                    const int a = (i * 7 + t) % classes;
                    const int b = (a + 1 + i % 5) % classes;
                    wedge::lock_identity first(
                        wedge::lock_kind::mutex,
                        lock_class(("T" + std::to_string(std::min(a, b))).c_str()));
                    wedge::lock_identity second(
                        wedge::lock_kind::mutex,
                        lock_class(("T" + std::to_string(std::max(a, b))).c_str()));
                    for (wedge::lock_identity* lock : {&first, &second}) {
                        wedge::detail::attempt(self, *lock, {});
                        wedge::detail::acquired(self, *lock, {});
                    }
                    for (wedge::lock_identity* lock : {&second, &first})
                        wedge::detail::released(self, *lock, mode::exclusive, {});
                }
            });
        }
        for (std::thread& thread : all) thread.join();
        CHECK(checker.findings().empty());
        notation::player(checker).play("L(T1) L(T0) U(T0) U(T1)");
        REQUIRE(!checker.findings().empty());
        CHECK(checker.findings()[0].signature == "cycle T0/EE T1/EE");
    }
}
