// The outputs and examples in docs/ equal the output of the command.
#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "wedge/core/finding.hpp"
#include "wedge/main/files.hpp"

#include "main/fake_program.hpp"

namespace docs_test {

struct shown {
    std::vector<std::string> words;
    std::vector<std::string> parts;  ///< of the output; the page leaves out the lines between them
};

/// Returns the indented blocks that begin with `$ wedge`. A line `…` stands for any lines.
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

TEST_CASE("docs: each output shown equals the output of its command") {
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

TEST_CASE("docs: the picture of a lock order equals the picture that the command draws") {
    const scratch_folder here;
    std::filesystem::create_directory_symlink(TESTS_DIR "/../corpora", "corpora");
    const called drawn =
        call_program({}, {"graph", "corpora/scenarios/gate_lock.wedge", "-o", "gate_lock.dot"});
    CAPTURE(drawn.err);
    CHECK(drawn.status == 0);
    CHECK(wedge::read_text("gate_lock.dot") ==
          wedge::read_text(TESTS_DIR "/../docs/gate_lock.dot"));
}

/// Returns the scenarios between ```wedge and ``` in a page.
std::vector<std::string> scenarios_in(const std::string& page) {
    std::vector<std::string> all;
    bool is_inside = false;
    std::istringstream lines(page);
    for (std::string line; std::getline(lines, line);) {
        if (line == "```wedge") {
            all.emplace_back();
            is_inside = true;
        } else if (line == "```") {
            is_inside = false;
        } else if (is_inside) {
            all.back() += line + "\n";
        }
    }
    return all;
}

std::size_t count(const std::string& text, const std::string& what) {
    std::size_t times = 0;
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; ++at) ++times;
    return times;
}

TEST_CASE("docs: each example of a rule has exactly the findings that it expects") {
    const std::vector<std::string> all =
        scenarios_in(wedge::read_text(TESTS_DIR "/../docs/RULES.md"));
    CHECK(all.size() >= 45);
    const scratch_folder here;
    for (const std::string& scenario : all) {
        wedge::write_text("example.wedge", scenario);
        const called result = call_program({}, {"check", "--json", "example.wedge"});
        CAPTURE(scenario);
        CAPTURE(result.out);
        CHECK(result.err == "");
        CHECK(result.status == 0);
        for (const std::string kind : wedge::finding_names) {
            const bool is_found = count(result.out, "\"kind\":\"" + kind + "\"") != 0;
            const bool is_expected =
                count(scenario, "expect finding " + kind + "\n") != 0 ||
                (kind == "deadlock" && count(scenario, "expect deadlock\n") != 0);
            CAPTURE(kind);
            // A deadlock that confirms an order finding is not counted as a second finding.
            if (kind != "deadlock" || is_found) CHECK(is_found == is_expected);
        }
    }
}

}  // namespace docs_test
