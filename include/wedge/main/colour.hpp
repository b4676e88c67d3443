// Colours of results on a terminal.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <unistd.h>

namespace wedge {

/// Returns whether a stream is a terminal whose user wants colours. `NO_COLOR`, if it is set to any
/// text but the empty one, turns them off (https://no-color.org), as does the terminal `dumb`.
inline bool wants_colour(std::FILE* to) {
    const char* const no = std::getenv("NO_COLOR");
    const char* const terminal = std::getenv("TERM");
    return (no == nullptr || *no == 0) && terminal != nullptr &&
           std::string_view(terminal) != "dumb" && ::isatty(::fileno(to)) == 1;
}

namespace detail {

/// A line that begins, or ends, with a text gets a colour.
struct colour_rule {
    std::string_view begin;
    std::string_view end;
    const char* colour;
};
inline constexpr const char* red = "\x1b[31m";
inline constexpr const char* red_bold = "\x1b[1;31m";
inline constexpr const char* green = "\x1b[32m";
inline constexpr const char* yellow = "\x1b[33m";
inline constexpr const char* bold = "\x1b[1m";
/// The first rule that fits decides. The lines are those of report/text.hpp, of `check`, `hunt` and
/// `stress`, and of the summary of a night.
inline constexpr colour_rule colour_rules[] = {
    {"confirmed ", "", red_bold},
    {"possible ", "", yellow},
    {"refuted ", "", green},
    {"  verdict  confirmed", "", red},
    {"  verdict  observed", "", red},
    {"  verdict  unresolved", "", yellow},
    {"  verdict  refuted", "", green},
    {"", ", as expected", green},
    {"  new ", "", red_bold},
    {"  reopened ", "", red_bold},
    {"  flaky ", "", yellow},
    {"  known ", "", yellow},
    {"  fixed ", "", green},
    {"replay: ", "", bold},
    {"            replay: ", "", bold},
};

}  // namespace detail

/// Returns text with the colours of its lines. Lines that no rule names stay as they are.
inline std::string coloured(std::string_view text) {
    std::string made;
    while (!text.empty()) {
        const std::size_t length = text.find('\n');
        const std::string_view line = text.substr(0, length);
        const char* colour = nullptr;
        for (const detail::colour_rule& each : detail::colour_rules)
            if (colour == nullptr && line.starts_with(each.begin) && line.ends_with(each.end))
                colour = each.colour;
        if (line.find("; expected: ") != line.npos && colour == nullptr) colour = detail::red_bold;
        if (colour != nullptr) made += colour;
        made += line;
        if (colour != nullptr) made += "\x1b[0m";
        if (length == text.npos) break;
        made += '\n';
        text.remove_prefix(length + 1);
    }
    return made;
}

/// Writes text to a stream, in colours on a terminal.
inline void print_coloured(std::FILE* to, std::string_view text) {
    const std::string shown = wants_colour(to) ? coloured(text) : std::string(text);
    std::fwrite(shown.data(), 1, shown.size(), to);
}

}  // namespace wedge
