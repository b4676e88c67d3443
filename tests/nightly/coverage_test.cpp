#include "nightly/coverage.hpp"

#include <filesystem>

#include <doctest/doctest.h>

#include "wedge/core/check.hpp"

#include "main/fake_program.hpp"

namespace nightly_coverage_test {

using namespace wedge::nightly;

TEST_CASE("coverage: lines of the wanted files are counted, and other files are left out") {
    const char* const lcov =
        "SF:/d/src/a.cpp\nFN:3,f\nDA:3,12\nDA:4,0\nDA:5,0\nDA:6,0\nDA:9,0\nend_of_record\n"
        "SF:/d/srcs/b.cpp\nDA:1,0\nend_of_record\n"
        "SF:/usr/include/x.h\nDA:1,1\nend_of_record\n"
        "SF:/d/src/./a.cpp\nDA:4,1\nend_of_record\n";
    for (const char* const wanted : {"/d/src", "/d/src/", "/d/src/a.cpp"}) {
        const std::vector<file_coverage> all = coverage_in(lcov, {wanted});
        REQUIRE(all.size() == 1);
        CHECK(all[0].file == "/d/src/a.cpp");
        CHECK(all[0].lines == 5);
        CHECK(all[0].covered == 2);
        CHECK(all[0].missed == "5-6, 9");
    }
    CHECK(coverage_in(lcov, {"/d/other"}).empty());
    CHECK(coverage_in("", {"/d"}).empty());
}

TEST_CASE("coverage: what is missing is said, a tool or a profile") {
    const scratch_folder here;
    try {
        static_cast<void>(measure_coverage({{{"true"}, "p"}},
                                           std::filesystem::absolute("scratch").string(), ".",
                                           std::chrono::seconds(10), {"/"}));
        FAIL("a program without a profile is accepted");
    } catch (const wedge::error& wrong) {
        const std::string said = wrong.what();
        const bool is_named =
            said.find("true has left no profile; build it with -fprofile") != std::string::npos ||
            said.find("is missing (Debian: ") != std::string::npos;
        CHECK_MESSAGE(is_named, said);
    }
}

}  // namespace nightly_coverage_test
