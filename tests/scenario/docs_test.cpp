// Compares the quotations in docs/scenarios.md with the files.
#include <string>

#include <doctest/doctest.h>

#include "scenario/read.hpp"

TEST_CASE("docs: every quoted scenario equals the file that it names") {
    const std::string text = text_of_file(TESTS_DIR "/../docs/scenarios.md");
    const std::string opening = "<!-- ";
    const std::string fence = " -->\n```\n";
    unsigned quotes = 0;
    for (std::size_t at = text.find(opening); at != std::string::npos;
         at = text.find(opening, at + 1), ++quotes) {
        const std::size_t begin = text.find(fence, at);
        const std::string file = text.substr(at + opening.size(), begin - at - opening.size());
        CAPTURE(file);
        const std::size_t start = begin + fence.size();
        CHECK(text.substr(start, text.find("```", start) - start) ==
              text_of_file(TESTS_DIR "/../" + file));
    }
    CHECK(quotes >= 15);
}
