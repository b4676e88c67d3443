// What the tests of the order checker ask of a text of lock operations.
#pragma once

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/notation.hpp"

namespace notation {

/// Nothing is found, with either evidence.
inline void check_silent(const std::string& text) {
    CAPTURE(text);
    CHECK(kinds_in(text).empty());
}

/// Findings of this kind are found, and of no other.
inline void check_only(wedge::finding_kind kind, const std::string& text) {
    CAPTURE(text);
    const std::vector<wedge::finding_kind> found = kinds_in(text);
    REQUIRE(found.size() == 1);
    CHECK(found[0] == kind);
}

/// Keeps what a checker reports.
class collector final : public wedge::finding_sink {
public:
    void on(const wedge::finding& found) noexcept override { all.push_back(found); }
    std::vector<wedge::finding> all;
};

}  // namespace notation
