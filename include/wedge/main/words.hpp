// Reads what the user typed: numbers, names of a list, and the nearest valid name to a wrong one.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wedge/core/check.hpp"
#include "wedge/core/nearest.hpp"

namespace wedge {

/// Returns `a, b, c`.
inline std::string joined(const std::vector<std::string>& all) {
    std::string text;
    for (const std::string& one : all) text += (text.empty() ? "" : ", ") + one;
    return text;
}

/// Returns ` (did you mean transfer?)`, or nothing if no name is near.
inline std::string suggestion(std::string_view wrong, const std::vector<std::string>& names) {
    const std::string nearest = nearest_name(wrong, names);
    return nearest.empty() ? "" : " (did you mean " + nearest + "?)";
}

/// Reads an integer.
///
/// @throws error  names the option
inline std::uint64_t number_of(const char* option, const std::string& text, std::uint64_t least) {
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [read, status] = std::from_chars(text.data(), end, value);
    if (status == std::errc::result_out_of_range)
        throw error(std::string(option) + ": " + text + " is too large");
    if (status != std::errc{} || read != end || value < least)
        throw error(std::string(option) + ": '" + text +
                    "', expected an integer >= " + std::to_string(least));
    return value;
}

/// Returns the place of a name in a list.
///
/// @throws error  names the option, the nearest name and all names
inline std::size_t place_of(const char* option, const std::string& text,
                            const std::vector<std::string>& names) {
    const auto found = std::find(names.begin(), names.end(), text);
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
    throw error(std::string(option) + ": there is no '" + text + "'" + suggestion(text, names) +
                "; there is " + joined(names));
}

/// Returns an argument as it must be typed into a shell.
inline std::string shell_quoted(const std::string& text) {
    const auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("_-./+,:@%=").find(c) != std::string_view::npos;
    };
    if (!text.empty() && std::all_of(text.begin(), text.end(), is_plain)) return text;
    std::string safe = "'";
    for (const char c : text) safe += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return safe + "'";
}

}  // namespace wedge
