// The editor's grammar has exactly the keywords of the language.
#include <set>
#include <sstream>
#include <string>

#include <doctest/doctest.h>

#include "wedge/scenario/statements.hpp"

#include "scenario/read.hpp"

TEST_CASE("grammar: the words of docs/editors/wedge.vim are the keywords of the language") {
    std::set<std::string> spoken;
    wedge::scenario::for_all_words([&](const auto& words) {
        for (const std::string_view word : words) spoken.emplace(word);
    });
    std::set<std::string> coloured;
    std::istringstream lines(text_of_file(TESTS_DIR "/../docs/editors/wedge.vim"));
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string syn, keyword, group;
        words >> syn >> keyword >> group;
        if (syn != "syn" || keyword != "keyword") continue;
        for (std::string word; words >> word;) CHECK(coloured.insert(word).second);
    }
    CHECK(coloured == spoken);
}
