// Finds the valid name that is nearest to a wrong one, for "did you mean".
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace wedge {

/// Returns the number of characters to insert, remove or replace to turn one text into the other.
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0]++;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row.back();
}

/// Returns the name that was probably meant; empty if no name is near.
template <class Names>
std::string nearest_name(std::string_view wrong, const Names& names) {
    constexpr std::size_t size_max = 64;  // a longer word is not a misspelt name
    if (wrong.size() > size_max) return {};
    std::string nearest;
    // At most a third of the characters may be wrong.
    std::size_t least = std::max<std::size_t>(wrong.size() / 3, 1) + 1;
    for (const std::string_view name : names) {
        const bool is_start = wrong.size() > 1 && name.starts_with(wrong);
        const std::size_t distance = is_start ? 1 : edit_distance(wrong, name);
        // No character of the wrong name would be left.
        if (distance >= least || distance >= wrong.size()) continue;
        least = distance;
        nearest = name;
    }
    return nearest;
}

}  // namespace wedge
