// What docs/scenarios.md shows of the command is what the command prints.
#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "wedge/main/files.hpp"

#include "main/fake_program.hpp"

namespace docs_test {

struct shown {
    std::vector<std::string> words;
    std::vector<std::string> parts;  ///< of the output; between them are lines left out
};

/// The indented blocks that begin with `$ wedge`; a line `…` stands for any lines.
std::vector<shown> sessions(const std::string& text) {
    constexpr std::string_view prompt = "    $ wedge ";
    std::vector<shown> all;
    bool is_inside = false;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(prompt)) {
            std::istringstream words(line.substr(prompt.size()));
            all.push_back({{}, {""}});
            for (std::string word; words >> word;) all.back().words.push_back(word);
            is_inside = true;
        } else if (is_inside && line == "    …") {
            all.back().parts.emplace_back();
        } else if (is_inside && (line.empty() || line.starts_with("    "))) {
            all.back().parts.back() += (line.empty() ? line : line.substr(4)) + "\n";
        } else {
            is_inside = false;
        }
    }
    for (shown& each : all) {
        std::string& last = each.parts.back();
        while (last == "\n" || last.ends_with("\n\n")) last.pop_back();
    }
    return all;
}

std::string in_terms_of_the_tool(std::string text) {
    for (const std::string name : {"./bin/bank", "bank:"})
        for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name))
            text.replace(at, name.size(), name == "bank:" ? "wedge:" : "wedge");
    return text;
}

TEST_CASE("docs: the output shown is that of the command") {
    const std::string docs = wedge::read_text(TESTS_DIR "/../docs/scenarios.md");
    const scratch_folder here;
    std::filesystem::create_directory_symlink(TESTS_DIR "/../corpora", "corpora");
    const std::vector<shown> all = sessions(docs);
    CHECK(all.size() >= 8);
    for (const shown& each : all) {
        std::vector<const char*> words;
        for (const std::string& word : each.words) words.push_back(word.c_str());
        const called result = call_program({}, words);
        std::string printed = in_terms_of_the_tool(result.out + result.err);
        while (printed.ends_with("\n\n")) printed.pop_back();
        CAPTURE(each.words.front());
        CAPTURE(printed);
        std::size_t at = 0;
        for (const std::string& part : each.parts) {
            CAPTURE(part);
            const std::size_t found = printed.find(part, at);
            CHECK(found != std::string::npos);
            if (&part == &each.parts.front()) CHECK(found == 0);
            at = found == std::string::npos ? at : found + part.size();
        }
        if (each.parts.size() == 1 || !each.parts.back().empty()) CHECK(at == printed.size());
    }
}

}  // namespace docs_test
