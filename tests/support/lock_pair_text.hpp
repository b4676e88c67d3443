// Lock pairs as one line, to compare them.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "wedge/core/finding.hpp"

/// Returns `a>b b>c`, sorted.
inline std::string text_of_lock_pairs(const std::vector<wedge::dependency>& all) {
    std::set<std::string> sorted;
    for (const wedge::dependency& each : all)
        sorted.insert(each.held.class_name + ">" + each.wanted.class_name);
    std::string text;
    for (const std::string& each : sorted) text += (text.empty() ? "" : " ") + each;
    return text;
}
