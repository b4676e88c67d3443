// The dress of lines, and how lines are split again.
#include "explain/lines.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

std::vector<std::string> texts(const std::string& text) {
    std::vector<std::string> all;
    const wedge::explain::text_lines lines(text);
    for (const wedge::explain::line& each : lines.all()) all.emplace_back(each.text);
    return all;
}

}  // namespace

TEST_CASE("lines: dress is taken off, in any order and repeatedly") {
    for (const char* const line :
         {"x", "> x", ">> > | x", "<4>[   12.345678] x", "[   12.345678][   T34] x",
          "[+0.004922] x", "[Tue Nov  3 10:11:12 2020] x", "Nov 13 15:00:01 host kernel: x",
          "Nov  3 15:00:01 host kernel: [   12.345678] x",
          "Thu Aug 10 07:01:29 2023 kern.warn kernel: x",
          "2023-08-10T07:01:29.123456+02:00 host kernel: x", "2023-08-10 07:01:29 x",
          "kern  :warn  : [   12.345678] x", "> <4>[   12.345678] x\r", "x^M",
          "4,1000,123456789,-;x", "4,1000,12,c,caller=T1;x"}) {
        CAPTURE(std::string(line));
        const std::vector<std::string> all = texts(line);
        REQUIRE(all.size() == 1);
        CHECK(all[0] == "x");
    }
}

TEST_CASE("lines: what only looks like dress stays") {
    for (const char* const line :
         {"-> #1 (a){+.+.}:", "[<c10a6232>] f+0x81/0xe7", "[ BUG: x ]", "<TASK>", "Mon is no date",
          "May I?", "12:34 is no time", "[12] x"}) {
        const std::vector<std::string> all = texts(line);
        REQUIRE(all.size() == 1);
        CHECK(all[0] == line);
    }
}

TEST_CASE("lines: joined lines are split, and know the line of the file") {
    const std::string text = "first\n[    1.000001] a [    1.000002] b#012c\nlast\n";
    const wedge::explain::text_lines lines(text);
    REQUIRE(lines.all().size() == 5);
    CHECK(lines.all()[1].text == "a");
    CHECK(lines.all()[2].text == "b");
    CHECK(lines.all()[3].text == "c");
    CHECK(lines.all()[3].number == 2);
    CHECK(lines.all()[4].text == "last");
    CHECK(lines.all()[4].number == 3);
}

TEST_CASE("lines: quoted-printable is decoded, and its soft line ends count as lines") {
    const wedge::explain::text_lines lines("a=3D=20b=\nc\n> d=C2=A0e=\n\nf g=\nh\nlast\n");
    REQUIRE(lines.all().size() == 4);
    CHECK(lines.all()[0].text == "a= bc");
    CHECK(lines.all()[1].text == "d e");
    CHECK(lines.all().back().text == "last");
    CHECK(lines.all().back().number == 7);
    // The ruler of a report is not encoded.
    CHECK(texts("=====\nx\n=====\ny\n")[0] == "=====");
}

TEST_CASE("lines: the caller is kept") {
    const wedge::explain::text_lines lines(
        "[    1.000001][ T8559] a\n[    1.000002] [    C1] b\nc\n");
    CHECK(lines.all()[0].caller == "T8559");
    CHECK(lines.all()[1].caller == "C1");
    CHECK(lines.all()[2].caller.empty());
}
