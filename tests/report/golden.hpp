// Compares a text with a committed file, byte for byte.
#pragma once

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include <doctest/doctest.h>

/// Compares. `WEDGE_UPDATE_GOLDEN=1 test_report` writes the files again; read the diff before you
/// commit it.
inline void check_golden(const std::string& name, const std::string& text) {
    const std::string path = std::string(TESTS_DIR) + "/golden/" + name;
    if (std::getenv("WEDGE_UPDATE_GOLDEN") != nullptr)
        std::ofstream(path, std::ios::binary) << text;
    std::ifstream file(path, std::ios::binary);
    REQUIRE_MESSAGE(file.good(), path);
    std::ostringstream wanted;
    wanted << file.rdbuf();
    CHECK_MESSAGE(text == wanted.str(), path);
}
