// What the tests of the readers share.
#pragma once

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "explain/reader.hpp"

namespace reading {

inline std::string file(const std::string& name) {
    std::ifstream from(std::string(DATA_DIR) + "/" + name, std::ios::binary);
    std::ostringstream text;
    text << from.rdbuf();
    return text.str();
}

inline std::vector<wedge::explain::report> reports(const std::string& text) {
    return wedge::explain::read_reports(wedge::explain::text_lines(text));
}

inline std::vector<std::string> split(const std::string& text, char at) {
    std::vector<std::string> parts(1);
    for (const char c : text)
        if (c == at)
            parts.emplace_back();
        else
            parts.back() += c;
    return parts;
}

inline std::string joined(const std::vector<std::string>& parts, const std::string& with) {
    std::string text;
    for (std::size_t i = 0; i < parts.size(); ++i) text += (i == 0 ? "" : with) + parts[i];
    return text;
}

}  // namespace reading
