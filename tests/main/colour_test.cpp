#include "wedge/main/colour.hpp"

#include <cstdlib>
#include <string>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

TEST_CASE("colour: lines of results get colours, all other text stays as it is") {
    CHECK(wedge::coloured("a.wedge: sound, as expected\n") ==
          "\x1b[32ma.wedge: sound, as expected\x1b[0m\n");
    CHECK(wedge::coloured("a.wedge: deadlock; expected: sound\n") ==
          "\x1b[1;31ma.wedge: deadlock; expected: sound\x1b[0m\n");
    CHECK(wedge::coloured("\nconfirmed deadlock: b -> a\n\n  verdict  confirmed: yes") ==
          "\n\x1b[1;31mconfirmed deadlock: b -> a\x1b[0m\n\n\x1b[31m  verdict  confirmed: "
          "yes\x1b[0m");
    const std::string plain = "{\"what\":\"confirmed \"}\n\nlock a mutex\n    lock a\n";
    CHECK(wedge::coloured(plain) == plain);
    CHECK(wedge::coloured("").empty());
}

TEST_CASE("colour: a file gets none, and neither does a terminal of a user who wants none") {
    std::FILE* const file = std::tmpfile();
    REQUIRE(file != nullptr);
    CHECK_FALSE(wedge::wants_colour(file));
    wedge::print_coloured(file, "confirmed deadlock\n");
    std::rewind(file);
    char read[64] = {};
    CHECK(std::fread(read, 1, sizeof read, file) == 19);
    CHECK(std::string(read) == "confirmed deadlock\n");
    std::fclose(file);
}

TEST_CASE("colour: a terminal gets colours, unless NO_COLOR or a dumb terminal forbids them") {
    const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
    REQUIRE(master >= 0);
    REQUIRE(::grantpt(master) == 0);
    REQUIRE(::unlockpt(master) == 0);
    const int slave = ::open(::ptsname(master), O_RDWR | O_NOCTTY);
    REQUIRE(slave >= 0);
    std::FILE* const terminal = ::fdopen(slave, "w");
    ::unsetenv("NO_COLOR");
    ::setenv("TERM", "xterm", 1);
    CHECK(wedge::wants_colour(terminal));
    ::setenv("NO_COLOR", "1", 1);
    CHECK_FALSE(wedge::wants_colour(terminal));
    ::setenv("NO_COLOR", "", 1);  // the empty text does not count
    CHECK(wedge::wants_colour(terminal));
    ::setenv("TERM", "dumb", 1);
    CHECK_FALSE(wedge::wants_colour(terminal));
    std::fclose(terminal);
    ::close(master);
}
