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

/// Returns what must not change with the dress of a log.
inline std::string core_of(const std::vector<wedge::explain::report>& all) {
    std::string text;
    for (const wedge::explain::report& each : all) {
        text += each.kind + ": " + each.task + ": " + joined(each.cycle_locks, ", ");
        for (const auto& edge : each.edges)
            text += "\n  " + edge.from + " -> " + edge.to + " by " + edge.task + ", frames " +
                    std::to_string(edge.stack.size());
        for (const std::string& part : each.missing) text += "\n  missing " + part;
        text += '\n';
    }
    return text;
}

/// Returns the text with this before and behind each of its lines.
inline std::string dressed(const std::string& text, const std::string& prefix,
                           const std::string& end) {
    std::vector<std::string> lines = split(text, '\n');
    lines.pop_back();
    std::string made;
    for (const std::string& each : lines) made += prefix + each + end + "\n";
    return made;
}

}  // namespace reading
