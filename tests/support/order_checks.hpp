// Checks of the order checker's findings in a text of lock operations.
#pragma once

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/notation.hpp"

namespace notation {

/// Checks that nothing is found, with either evidence.
inline void check_silent(const std::string& text) {
    CAPTURE(text);
    CHECK(kinds_in(text).empty());
}

/// Checks that findings of this kind are found, and no others.
inline void check_only(wedge::finding_kind kind, const std::string& text) {
    CAPTURE(text);
    const std::vector<wedge::finding_kind> found = kinds_in(text);
    REQUIRE(found.size() == 1);
    CHECK(found[0] == kind);
}

/// Collects the findings of a checker.
class collector final : public wedge::finding_sink {
public:
    void on(const wedge::finding& found) noexcept override { all.push_back(found); }
    std::vector<wedge::finding> all;
};

}  // namespace notation
