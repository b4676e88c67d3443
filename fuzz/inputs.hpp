// The inputs of a replay program: files, and the files in directories.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "wedge/core/check.hpp"

/// Returns all arguments that are no options, sorted. A directory stands for the files in it,
/// without documents.
///
/// @throws wedge::error  there are none
inline std::vector<std::filesystem::path> input_files(int argc, char** argv) {
    namespace fs = std::filesystem;
    std::vector<fs::path> files;
    for (int i = 1; i < argc; ++i) {
        if (std::string(argv[i]).starts_with("-")) continue;
        if (!fs::is_directory(argv[i])) {
            files.emplace_back(argv[i]);
            continue;
        }
        for (const fs::directory_entry& each : fs::directory_iterator(argv[i]))
            if (each.is_regular_file() && each.path().extension() != ".md")
                files.push_back(each.path());
    }
    if (files.empty()) throw wedge::error("no inputs: give files or directories");
    std::sort(files.begin(), files.end());
    return files;
}

inline std::vector<std::uint8_t> input_bytes(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw wedge::error(path.string() + ": cannot be read");
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}
