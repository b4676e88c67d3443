#include "wedge/core/site.hpp"

#include <string>

#include <doctest/doctest.h>

namespace {

wedge::site caller(wedge::site where = wedge::site::current()) {
    return where;
}

}  // namespace

TEST_CASE("site: a default argument gives the place of the call") {
    const unsigned here = __LINE__ + 1;
    const wedge::site where = caller();
    CHECK(where.line == here);
    CHECK(std::string(where.file) == __FILE__);
}

TEST_CASE("site: the text has the last two components of the path") {
    CHECK(to_string(wedge::site{"/home/me/project/mm/fault.cpp", "f", 52}) == "mm/fault.cpp:52");
    CHECK(to_string(wedge::site{"fault.cpp", "f", 52}) == "fault.cpp:52");
    CHECK(to_string(wedge::site{}) == "?");
}
