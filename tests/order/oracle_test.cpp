// Random programs: a deadlock of some interleaving is found in a run that does not hang.
#include <vector>

#include <doctest/doctest.h>

#include "wedge/core/rng.hpp"

#include "support/order_truth.hpp"
#include "support/trials.hpp"

namespace oracle_test {
namespace {

using namespace order_truth;

bool oracle_says(const char* text) {
    program p;
    for (const notation::sequence& sequence : notation::parse(text)) {
        std::vector<step>& made = p.emplace_back();
        for (const notation::operation& o : sequence)
            made.push_back({o.word == "L"    ? act::exclusive
                            : o.word == "R"  ? act::shared
                            : o.word == "RR" ? act::recursive
                            : o.word == "T"  ? act::tried
                                             : act::release,
                            static_cast<unsigned>(o.arguments[0][0] - 'A')});
    }
    return oracle(p).deadlocks();
}

}  // namespace

TEST_CASE("oracle: it decides the textbook cases") {
    CHECK(oracle_says("L(A) L(B) U(B) U(A) | L(B) L(A) U(A) U(B)"));
    CHECK_FALSE(oracle_says("L(A) L(B) U(B) U(A) | L(A) L(B) U(B) U(A)"));
    CHECK_FALSE(oracle_says("L(A) L(B) U(B) U(A) | L(B) T(A) U(A) U(B)"));
    CHECK(oracle_says("R(A) L(B) U(B) U(A) | R(B) L(A) U(A) U(B)"));
    CHECK_FALSE(oracle_says("R(A) R(B) U(B) U(A) | R(B) R(A) U(A) U(B)"));
    CHECK(oracle_says("R(A) R(B) U(B) U(A) | R(B) R(A) U(A) U(B) | L(A) U(A) L(B) U(B)"));
    CHECK_FALSE(oracle_says("RR(A) RR(B) U(B) U(A) | RR(B) RR(A) U(A) U(B) | L(A) U(A) L(B) U(B)"));
    CHECK(oracle_says("L(A) RR(B) L(C) U(C) U(B) U(A) | L(C) L(A) U(A) U(C)"));
    CHECK_FALSE(oracle_says("L(C) L(A) L(B) U(B) U(A) U(C) | L(C) L(B) L(A) U(A) U(B) U(C)"));
}

TEST_CASE("oracle: no deadlock of a random program is missed, and none is refuted") {
    wedge::rng random(20240607);
    unsigned deadlocks = 0;
    unsigned sound = 0;
    unsigned reported = 0;
    for (unsigned i = 0; i < wedge::trials(2000); ++i) {
        const program p = make(random);
        const bool does = oracle(p).deadlocks();
        const std::string mistake = mistake_about(p, does);
        if (!mistake.empty()) FAIL_CHECK(mistake);
        ++(does ? deadlocks : sound);
        if (!does && !notation::findings_of(text_of(p)).empty()) ++reported;
    }
    MESSAGE(deadlocks, " deadlock, ", sound, " do not, of which ", reported, " are reported");
    CHECK(deadlocks > wedge::trials(2000) / 6);
    CHECK(reported * 5 < sound);
}

}  // namespace oracle_test
