// Contexts: locks that interrupts take, and locks held with interrupts enabled.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/notation.hpp"

using notation::findings_of;
using notation::kinds_in;
using notation::permuted;
using wedge::finding;
using wedge::finding_kind;

namespace {

constexpr finding_kind one_class = finding_kind::inconsistent_context;
constexpr finding_kind on_a_path = finding_kind::context_inversion;

/// Returns the text for one kind of interrupts. In it `I{` begins an interrupt, and `-i` and `+i`
/// disable and enable interrupts of that kind.
std::string with_context(std::string text, bool is_hard) {
    const auto replace = [&](const std::string& from, const std::string& to) {
        for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
            text.replace(at, from.size(), to);
    };
    replace("I{", is_hard ? "H{" : "S{");
    replace("-i", is_hard ? "-irq" : "-bh");
    replace("+i", is_hard ? "+irq" : "+bh");
    return text;
}

void check(const std::vector<std::string>& tasks, std::vector<finding_kind> wanted) {
    for (const bool is_hard : {true, false})
        for (const std::string& order : permuted(tasks)) {
            const std::string text = with_context(order, is_hard);
            CAPTURE(text);
            CHECK(kinds_in(text) == wanted);
        }
}

}  // namespace

TEST_CASE("context: a class used in an interrupt must not be held with it enabled") {
    check({"I{ L(A) U(A) }", "L(A) U(A)"}, {one_class});
    check({"I{ RR(A) U(A) }", "L(A) U(A)"}, {one_class});
    check({"I{ L(A) U(A) }", "RR(A) U(A)"}, {one_class});
    check({"I{ RR(A) U(A) }", "RR(A) U(A)"}, {});
    check({"I{ L(A) U(A) }", "-i L(A) U(A) +i"}, {});
}

TEST_CASE("context: no mask and no other interrupt keeps an NMI out") {
    for (const char* const held : {"L(A) U(A)", "-irq L(A) U(A) +irq", "H{ L(A) U(A) }"}) {
        CAPTURE(held);
        const std::string both[] = {std::string("NMI{ L(A) U(A) } | ") + held,
                                    std::string(held) + " | NMI{ L(A) U(A) }"};
        for (const std::string& text : both)
            CHECK(kinds_in(text) == std::vector<finding_kind>{one_class});
        CHECK(kinds_in(std::string("NMI{ T(A) U(A) } | ") + held) == std::vector<finding_kind>{});
    }
    CHECK(kinds_in("NMI{ L(A@raw) U(A) } | NMI{ L(A) U(A) }") == std::vector<finding_kind>{});
}

TEST_CASE("context: a plain read in an interrupt waits behind a waiting writer") {
    check({"I{ R(A) U(A) }", "RR(A) U(A)"}, {one_class});
    check({"I{ R(A) U(A) }", "R(A) U(A)"}, {one_class});
    check({"I{ RR(A) U(A) }", "R(A) U(A)"}, {});
}

TEST_CASE("context: enabling interrupts marks the locks held then, and no others") {
    check({"I{ L(A) U(A) }", "-i L(A) +i U(A)"}, {one_class});
    check({"I{ RR(A) U(A) }", "-i RR(A) +i U(A)"}, {});
    check({"I{ L(A) U(A) }", "-i L(A) U(A) +i L(B) U(B)"}, {});
}

TEST_CASE("context: softirqs arrive only while hardirqs are enabled too") {
    CHECK(kinds_in("S{ L(A) U(A) } | -irq L(A) U(A) +irq").empty());
    CHECK(kinds_in("S{ L(A) U(A) } | -irq L(A) +irq U(A)") == std::vector{one_class});
    CHECK(kinds_in("S{ L(A) U(A) } | -bh -irq L(A) +irq U(A) +bh").empty());
    CHECK(kinds_in("S{ L(A) U(A) } | -bh -irq L(A) +bh U(A) +irq").empty());
    CHECK(kinds_in("H{ L(A) U(A) } | -bh L(A) U(A) +bh") == std::vector{one_class});
    CHECK(kinds_in("S{ L(A) U(A) } | -bh -bh +bh L(A) U(A) +bh").empty());
    CHECK(kinds_in("S{ L(A) U(A) } | -bh -bh +bh L(A) +bh U(A)") == std::vector{one_class});
}

TEST_CASE("context: hardirqs interrupt softirqs, but not the reverse") {
    CHECK(kinds_in("H{ L(A) U(A) } | S{ L(A) U(A) }") == std::vector{one_class});
    CHECK(kinds_in("H{ L(A) U(A) } | S{ -irq L(A) U(A) }").empty());
    CHECK(kinds_in("S{ L(A) U(A) } | S{ L(A) U(A) }").empty());
}

TEST_CASE("context: a trylock in an interrupt does not wait, but its hold counts outside of it") {
    check({"I{ T(A) U(A) }", "L(A) U(A)"}, {});
    check({"I{ L(A) U(A) }", "T(A) U(A)"}, {one_class});
    check({"I{ L(A) U(A) }", "TX(A)"}, {});
}

TEST_CASE("context: a class of an interrupt that leads to a class held with it enabled") {
    check({"I{ L(A) U(A) }", "-i L(A) L(B) U(B) U(A) +i", "L(B) U(B)"}, {on_a_path});
    check({"I{ L(A) U(A) }", "-i L(A) L(B) U(B) U(A) +i", "-i L(B) U(B) +i"}, {});
    check({"I{ L(A) U(A) }", "-i L(B) L(A) U(A) U(B) +i", "L(B) U(B)"}, {});
    check({"I{ L(A) U(A) }", "L(A) L(B) U(B) U(A)", "L(B) U(B)"}, {one_class, on_a_path});
    check({"I{ RR(A) U(A) }", "RR(A) RR(B) U(B) U(A)", "RR(B) U(B)"}, {});
    check({"I{ L(A) U(A) }", "-i L(A) L(C) U(C) U(A) +i", "-i L(C) L(B) U(B) U(C) +i", "L(B) U(B)"},
          {on_a_path});
}

TEST_CASE("context: inversions with a read in the interrupt") {
    check({"I{ RR(A) U(A) }", "-i L(A) L(B) U(B) U(A) +i", "L(B) U(B)"}, {on_a_path});
    check({"I{ RR(A) U(A) }", "-i L(A) RR(B) U(B) U(A) +i", "RR(B) U(B)"}, {});
    check({"I{ RR(A) U(A) }", "-i L(A) RR(B) U(B) U(A) +i", "L(B) U(B)"}, {on_a_path});
    check({"I{ RR(A) U(A) }", "-i RR(A) L(B) U(B) U(A) +i", "L(B) U(B)"}, {});
    check({"I{ L(A) U(A) }", "-i RR(A) L(B) U(B) U(A) +i", "L(B) U(B)"}, {on_a_path});
}

TEST_CASE("context: recursive reads with interrupts enabled") {
    check({"-i L(A) U(A) +i", "I{ RR(A) L(B) U(B) U(A) }", "RR(A) U(A)"}, {});
    check({"-i L(A) U(A) +i", "I{ L(A) L(B) U(B) U(A) }", "RR(A) U(A)"}, {one_class});
    check({"-i L(B) RR(A) U(A) U(B) +i", "RR(A) U(A)", "I{ L(B) U(B) }"}, {});
    check({"-i L(B) L(A) U(A) U(B) +i", "RR(A) U(A)", "I{ L(B) U(B) }"}, {on_a_path});
    check({"-i L(B) R(A) U(A) U(B) +i", "R(A) U(A)", "I{ L(B) U(B) }"}, {on_a_path});
    check({"-i L(B) RR(A) U(A) U(B) +i", "RR(A) U(A)", "I{ RR(B) U(B) }"}, {});
    check({"-i L(B) L(A) U(A) U(B) +i", "RR(A) U(A)", "I{ RR(B) U(B) }"}, {on_a_path});
}

TEST_CASE("context: a local lock makes no dependency between processors") {
    const std::string of_interrupt = "H{ L(A@spin) U(A@spin) }";
    const std::string over_local = "-irq L(A@spin) L(LA@local) U(LA@local) U(A@spin) +irq";
    CHECK(kinds_in("L(LA@local) U(LA@local) | " + of_interrupt + " | " + over_local).empty());
    CHECK(kinds_in("H{ L(LA@local) U(LA@local) } | L(LA@local) U(LA@local)").empty());
    const std::string sound =
        "L(LA@local) L(B@spin) U(B@spin) U(LA@local) | " + of_interrupt + " | " + over_local;
    CHECK(kinds_in(sound).empty());
    CHECK(kinds_in(sound + " | -irq L(A@spin) L(B@spin) U(B@spin) U(A@spin) +irq") ==
          std::vector{on_a_path});
    CHECK(kinds_in("L(LA@local) L(B) U(B) U(LA@local) | L(B) L(LA@local) U(LA@local) U(B)") ==
          std::vector{finding_kind::circular});
}

TEST_CASE("context: two kinds of interrupts close one cycle") {
    CHECK(kinds_in("H{ L(A) U(A) } | -irq L(A) L(B) U(B) U(A) +irq | S{ -irq L(C) U(C) } | "
                   "-bh -irq L(C) L(D) U(D) U(C) +irq +bh | -irq L(B) +irq U(B)") ==
          std::vector{on_a_path});
    CHECK(kinds_in("H{ L(A) U(A) } | -irq L(A) L(B) U(B) U(A) +irq | S{ -irq L(B) U(B) }").empty());
}

TEST_CASE("context: locks of the interrupted task are not ordered before locks of the handler") {
    wedge::checker checker(wedge::evidence::exact);
    notation::player player(checker);
    wedge::task& self = player.add_task();
    wedge::task* const before = std::exchange(wedge::detail::current_task, &self);
    for (const char* const taken : {"A", "B"}) {
        player.play(self, "L(" + std::string(taken) + ")");
        {
            const wedge::in_context handler(wedge::context::hardirq, true);
            player.play(self, taken[0] == 'A' ? "T(B) U(B)" : "T(A) U(A)");
            player.play(self, "L(C) U(C)");
        }
        player.play(self, "U(" + std::string(taken) + ")");
    }
    CHECK(self.contexts == wedge::context_state{});
    wedge::detail::current_task = before;
    CHECK(checker.findings().empty());
    player.play("L(C) U(C)");
    REQUIRE(checker.findings().size() == 1);
    CHECK(checker.findings()[0].kind == one_class);
}

TEST_CASE("context: a conflict is unresolved, and names both places") {
    const std::vector<finding> found =
        findings_of("L(A) U(A) | H{ L(A) U(A) }", wedge::evidence::exact);
    REQUIRE(found.size() == 1);
    CHECK(found[0].judged == wedge::verdict::unresolved);
    CHECK(found[0].what == "hardirq context -> A here, A -> hardirq context before");
    CHECK_FALSE(found[0].graded.one_task);
    REQUIRE(found[0].cycle.size() == 2);
    CHECK(found[0].cycle[0].wanted.where.line == 4);
    CHECK(found[0].cycle[1].held.where.line == 1);
    CHECK(wedge::detail::plain_text_of(found[0]).starts_with("inconsistent-context: hardirq"));
}
