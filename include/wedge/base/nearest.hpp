// The nearest name to a wrong one, for "did you mean".
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace wedge {

/// How many characters have to be inserted, removed or replaced to make one of the other.
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

/// The name that was probably meant; empty when none is near.
template <class Names>
std::string nearest_name(std::string_view wrong, const Names& names) {
    constexpr std::size_t size_max = 64;  // a longer word is no misspelt name
    if (wrong.size() > size_max) return {};
    std::string nearest;
    std::size_t least = std::max<std::size_t>(wrong.size() / 3, 1) + 1;  // a third may be wrong
    for (const std::string_view name : names) {
        const bool is_start = wrong.size() > 1 && name.starts_with(wrong);
        const std::size_t distance = is_start ? 1 : edit_distance(wrong, name);
        if (distance >= least || distance >= wrong.size()) continue;  // nothing of it is left
        least = distance;
        nearest = name;
    }
    return nearest;
}

}  // namespace wedge
