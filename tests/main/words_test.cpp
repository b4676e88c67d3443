#include "wedge/main/words.hpp"

#include <doctest/doctest.h>

TEST_CASE("words: a near name is suggested, a distant one is not") {
    const std::vector<std::string> names{"transfer", "eviction"};
    CHECK(wedge::edit_distance("tranfer", "transfer") == 1);
    CHECK(wedge::edit_distance("", "abc") == 3);
    CHECK(wedge::suggestion("tranfer", names) == " (did you mean transfer?)");
    CHECK(wedge::suggestion("evict", names) == " (did you mean eviction?)");
    CHECK(wedge::suggestion("zebra", names) == "");
}

TEST_CASE("words: a word that a shell would split is quoted") {
    CHECK(wedge::shell_quoted("./a-b_c/d.schedule") == "./a-b_c/d.schedule");
    CHECK(wedge::shell_quoted("it's a file") == "'it'\\''s a file'");
    CHECK(wedge::shell_quoted("") == "''");
}
