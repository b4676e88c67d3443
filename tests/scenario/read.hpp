// Reads and checks scenarios for the tests of this directory.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "wedge/scenario/check.hpp"
#include "wedge/scenario/parse.hpp"

inline wedge::scenario::document parsed(const std::string& text) {
    return wedge::scenario::parse(text, "test.wedge");
}

inline wedge::scenario::check_options small_search() {
    wedge::scenario::check_options options;
    options.explore.executions_max = 20'000;
    options.explore.steps_max = 500;
    return options;
}

inline wedge::scenario::check_result checked(const std::string& text) {
    return wedge::scenario::check(parsed(text), small_search());
}

inline std::string text_of_file(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Returns all committed scenarios.
inline std::vector<std::string> corpus() {
    std::vector<std::string> files;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(TESTS_DIR "/../corpora/scenarios"))
        if (entry.path().extension() == ".wedge") files.push_back(entry.path().string());
    std::sort(files.begin(), files.end());
    return files;
}
