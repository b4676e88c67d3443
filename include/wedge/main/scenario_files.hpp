// Finding and reading the files of scenarios.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "wedge/main/files.hpp"
#include "wedge/scenario/parse.hpp"

namespace wedge {

/// The scenarios in a folder and those below it, in the order of their names; or the file itself.
///
/// @throws error  the path is not there, or the folder has no scenario
inline std::vector<std::string> scenario_files(const std::string& path) {
    namespace fs = std::filesystem;
    std::error_code failed;
    if (!fs::is_directory(path, failed)) return {path};
    std::vector<std::string> files;
    fs::recursive_directory_iterator next(path, failed);
    for (; !failed && next != fs::recursive_directory_iterator(); next.increment(failed)) {
        std::error_code ignored;
        if (next->path().extension() == ".wedge" && !next->is_directory(ignored))
            files.push_back(next->path().string());
    }
    if (failed) throw error(path + ": " + failed.message());
    if (files.empty()) throw error(path + ": no scenario (*.wedge) in this folder");
    std::sort(files.begin(), files.end());
    return files;
}

/// @throws error  `path: …` or `path:line:column: …`
inline scenario::document read_scenario(const std::string& path) {
    return scenario::parse(read_text(path), path);
}

}  // namespace wedge
