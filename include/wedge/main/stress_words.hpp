// Reads the options of `stress` that are more than a number: durations, roles, phases, sweeps.
#pragma once

#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wedge/core/check.hpp"
#include "wedge/main/words.hpp"
#include "wedge/stress/load.hpp"

namespace wedge {

/// Returns the parts of a text between separators, without blanks at their ends.
inline std::vector<std::string> parts_of(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::size_t from = 0;
    for (;;) {
        const std::size_t end = std::min(text.find(separator, from), text.size());
        std::string part = text.substr(from, end - from);
        part.erase(0, std::min(part.find_first_not_of(" \t"), part.size()));
        part.erase(part.find_last_not_of(" \t") + 1);
        parts.push_back(std::move(part));
        if (end == text.size()) return parts;
        from = end + 1;
    }
}

/// Reads `250ns`, `2us`, `1.5ms`, `10s` or `2m`.
///
/// @throws error  names the option
inline std::chrono::nanoseconds duration_of(const char* option, const std::string& text) {
    constexpr std::pair<std::string_view, double> units[] = {
        {"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}};
    double number = -1;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    for (const auto& [name, factor] : units)
        if (status == std::errc{} && unit == name && number >= 0 && number * factor < 1e18)
            return std::chrono::nanoseconds(static_cast<std::int64_t>(number * factor));
    throw error(std::string(option) + ": '" + text +
                "' is not a time; expected a number and ns, us, ms, s or m, as in 5ms");
}

/// Reads `2us`, `1us-5us` (uniform) or `exp:3us` (exponential, by its mean).
///
/// @throws error  names the option
inline random_time random_time_of(const char* option, const std::string& text) {
    if (text.starts_with("exp:"))
        return {random_time::shape::exponential, duration_of(option, text.substr(4))};
    const std::size_t dash = text.find('-');
    if (dash == std::string::npos) return {random_time::shape::fixed, duration_of(option, text)};
    const random_time made{random_time::shape::uniform, duration_of(option, text.substr(0, dash)),
                           duration_of(option, text.substr(dash + 1))};
    if (made.last < made.first)
        throw error(std::string(option) + ": " + text + " ends before it begins");
    return made;
}

/// Reads `lookup=8, scan`: actions with their weights, 1 where none stands.
///
/// @throws error  names the option
inline std::vector<std::pair<std::string, std::uint32_t>> weights_of(
    const char* option, const std::string& text, const std::vector<std::string>& actions) {
    std::vector<std::pair<std::string, std::uint32_t>> weights;
    std::uint64_t sum = 0;
    for (const std::string& part : parts_of(text, ',')) {
        const std::size_t equal = part.find('=');
        const std::string action = parts_of(part.substr(0, equal), '=').front();
        static_cast<void>(place_of(option, action, actions));
        const std::uint64_t weight =
            equal == std::string::npos
                ? 1
                : number_of(option, parts_of(part.substr(equal + 1), '=').front(), 0);
        sum += weight;
        if (weight > 1'000'000 || sum > 1'000'000)
            throw error(std::string(option) + ": the weights may be 1000000 together");
        weights.emplace_back(action, static_cast<std::uint32_t>(weight));
    }
    if (sum == 0) throw error(std::string(option) + ": all weights are 0 in '" + text + "'");
    return weights;
}

/// Reads `3: lookup=8, scan | 1: insert`: for each role its share of the threads and its actions.
///
/// @throws error  names the option
inline std::vector<stress_role> roles_of(const char* option, const std::string& text,
                                         const std::vector<std::string>& actions) {
    std::vector<stress_role> roles;
    for (const std::string& part : parts_of(text, '|')) {
        stress_role& made = roles.emplace_back();
        const std::size_t colon = part.find(':');
        if (colon != std::string::npos)
            made.threads = static_cast<unsigned>(std::min<std::uint64_t>(
                number_of(option, parts_of(part.substr(0, colon), ':').front(), 1), 10'000));
        made.weights =
            weights_of(option, colon == std::string::npos ? part : part.substr(colon + 1), actions);
    }
    return roles;
}

/// Reads `calm, pressure, storm, recovery`.
///
/// @throws error  names the option
inline std::vector<stress_phase> phases_of(const char* option, const std::string& text) {
    const std::vector<std::string> names(std::begin(stress_phase_names),
                                         std::end(stress_phase_names));
    std::vector<stress_phase> phases;
    for (const std::string& part : parts_of(text, ','))
        phases.push_back(static_cast<stress_phase>(place_of(option, part, names)));
    return phases;
}

/// Reads `1,2,4,8`: numbers of threads.
///
/// @throws error  names the option
inline std::vector<unsigned> thread_counts_of(const char* option, const std::string& text) {
    std::vector<unsigned> counts;
    for (const std::string& part : parts_of(text, ',')) {
        const std::uint64_t count = number_of(option, part, 1);
        if (count > 10'000) throw error(std::string(option) + ": " + part + " is too large");
        counts.push_back(static_cast<unsigned>(count));
    }
    return counts;
}

}  // namespace wedge
