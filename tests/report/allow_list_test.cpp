// Allow lists: matching, expiry, and the errors of a wrong file.
#include "wedge/report/allow_list.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace allow_list_test {

const char* const two_entries =
    "# Known findings of the demo driver.\n"
    "signature: cycle checking/EE savings/EE\n"
    "reason: both locks lie in one allocation: the driver of 5.8 cannot change\n"
    "owner: storage team\n"
    "expires: 2027-03-31\n"
    "\n"
    "expires: 2026-01-31\n"
    "  owner: alice\r\n"
    "# a comment within an entry\n"
    "reason: old\n"
    "signature: recursive table in insert\n";

std::string message_of(const std::string& text) {
    try {
        wedge::allow_list read(text, "known.txt");
    } catch (const wedge::error& wrong) {
        return wrong.what();
    }
    return "";
}

TEST_CASE("an entry allows its signature until the end of its last day") {
    wedge::allow_list known(two_entries, "known.txt", "2027-03-31");
    CHECK(known.allows("cycle checking/EE savings/EE"));
    CHECK_FALSE(known.allows("cycle checking/EE savings/SE"));
    CHECK_FALSE(known.allows(""));
    wedge::allow_list later(two_entries, "known.txt", "2027-04-01");
    CHECK_FALSE(later.allows("cycle checking/EE savings/EE"));
}

TEST_CASE("an expired and an unmatched entry are reported, each with its place and owner") {
    wedge::allow_list known(two_entries, "known.txt", "2026-11-29");
    CHECK_FALSE(known.allows("recursive table in insert"));
    CHECK(known.complaints() ==
          std::vector<std::string>{
              "known.txt:2: matched no finding, remove it (storage team): cycle checking/EE "
              "savings/EE",
              "known.txt:11: expired on 2026-01-31 (alice): recursive table in insert"});
    CHECK(known.allows("cycle checking/EE savings/EE"));
    CHECK(known.complaints().size() == 1);
    CHECK(known.entries()[0].reason ==
          "both locks lie in one allocation: the driver of 5.8 cannot change");
}

TEST_CASE("an entry of one workload allows nothing in others") {
    const std::string common = "reason: b\nowner: c\nexpires: 2027-01-01\n\n";
    const std::string text = "signature: a\nworkload: x\n" + common +
                             "signature: a\nworkload: y\n" + common + "signature: b\n" + common;
    wedge::allow_list known(text, "known.txt", "2026-11-29");
    CHECK(known.allows("a", "x"));
    CHECK_FALSE(known.allows("a", "z"));
    CHECK_FALSE(known.allows("a"));
    CHECK(known.allows("b", "z"));
    CHECK(known.allows("a", "/designs/x"));
    CHECK_FALSE(known.allows("a", "/designs/not_x"));
    CHECK_FALSE(known.allows("a", "x/w"));
    REQUIRE(known.complaints().size() == 1);
    CHECK(known.complaints()[0] == "known.txt:7: matched no finding, remove it (c): a");
    CHECK(known.complaints(false).empty());
}

TEST_CASE("an empty list allows nothing and has no complaints") {
    wedge::allow_list none("\n# nothing is known\n\n");
    CHECK_FALSE(none.allows("cycle a/EE b/EE"));
    CHECK(none.complaints().empty());
}

TEST_CASE("a wrong list is an error that names the line") {
    CHECK(message_of("signature: a\nreason: b\nowner: c\n") ==
          "known.txt:1: this entry has no 'expires'");
    CHECK(
        message_of("\nwhy: a\n") ==
        "known.txt:2: expected `signature: `, `reason: `, `owner: `, `expires: ` or `workload: `, "
        "found 'why'");
    CHECK(
        message_of("\nwords\n") ==
        "known.txt:2: expected `signature: `, `reason: `, `owner: `, `expires: ` or `workload: `, "
        "found 'words'");
    CHECK(message_of("signature: \n") == "known.txt:1: 'signature' has no value");
    CHECK(message_of("owner: a\nowner: b\n") == "known.txt:2: 'owner' stands twice in this entry");
    const std::string once = "signature: a\nreason: b\nowner: c\nexpires: 2027-01-01\n";
    CHECK(message_of(once + "\n" + once) ==
          "known.txt:6: this signature is already allowed at known.txt:1");
    for (const char* const day :
         {"2027-02-29", "2027-13-01", "2027-1-1", "soon", "2027-01-00", "2027-01-01T00"})
        CHECK(message_of("expires: " + std::string(day) + "\n") ==
              "known.txt:1: expected a day such as 2027-03-31, found '" + std::string(day) + "'");
    CHECK(message_of("expires: 2028-02-29\n") == "known.txt:1: this entry has no 'signature'");
}

}  // namespace allow_list_test
