// Wait types: which locks may be taken under which, and in which context.
#include <string>

#include <doctest/doctest.h>

#include "support/notation.hpp"

using notation::kinds_in;
using wedge::finding_kind;

namespace {

void check(const std::string& text, bool is_allowed) {
    CAPTURE(text);
    const std::vector<finding_kind> found = kinds_in(text);
    CHECK(found.empty() == is_allowed);
    if (!found.empty()) CHECK(found == std::vector{finding_kind::wait_type});
}

/// Checks every kind of lock under one lock or in one context.
void check_in(const std::string& before, const std::string& after, bool spin, bool sleep) {
    const auto inside = [&](const std::string& steps) { return before + steps + after; };
    check(inside("RCU{ }"), true);
    check(inside("L(B@raw) U(B)"), true);
    for (const char* kind : {"spin", "rwlock", "local"})
        check(inside("L(B@" + std::string(kind) + ") U(B)"), spin);
    for (const char* kind : {"mutex", "rtmutex", "rwsem"})
        check(inside("L(B@" + std::string(kind) + ") U(B)"), sleep);
    check(inside("W(o) U(o)"), sleep);
    check(inside("T(B@mutex) U(B)"), true);
}

}  // namespace

TEST_CASE("wait types: in every context and under every kind of lock") {
    check_in("H{ ", " }", true, false);
    check_in("Hn{ ", " }", false, false);
    check_in("S{ ", " }", true, false);
    check_in("NMI{ ", " }", false, false);
    check_in("-preempt ", " +preempt", true, false);
    check_in("RCUp{ ", " }", true, false);
    check_in("RCUbh{ ", " }", true, false);
    check_in("RCUsched{ ", " }", false, false);
    check_in("L(A@raw) ", " U(A)", false, false);
    check_in("L(A@spin) ", " U(A)", true, false);
    check_in("L(A@local) ", " U(A)", true, false);
    check_in("R(A@rwlock) ", " U(A)", true, false);
    check_in("L(A@mutex) ", " U(A)", true, true);
    check_in("", "", true, true);
}

TEST_CASE("wait types: every held lock counts, also a trylocked one, not only the last") {
    check("L(A@raw) L(M@raw) L(B@spin) U(B) U(M) U(A)", false);
    check("T(A@raw) L(B@spin) U(B) U(A)", false);
    check("L(A@raw) RCU{ L(B@spin) U(B) } U(A)", false);
    check("L(A@raw) U(A) L(B@spin) U(B)", true);
}

TEST_CASE("wait types: they are part of the key of a chain") {
    check("L(A@spin) L(B.1@spin) U(B.1) U(A) | L(A) L(B.2@mutex) U(B.2) U(A)", false);
    check("H{ L(B@spin) U(B) } | Hn{ L(B) U(B) }", false);
    check("H{ L(B@spin) U(B) } | H{ L(B) U(B) }", true);
    check("L(B@mutex) U(B) | -preempt L(B) U(B) +preempt", false);
    check("L(B@mutex) U(B) | -preempt +preempt L(B) U(B)", true);
}
