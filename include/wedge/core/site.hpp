// A place in the user's source: file, line and function of a call.
#pragma once

#include <string>

namespace wedge {

/// A place in the source. Its strings are literals of the compiler and live as long as the program.
///
/// Take it as the last parameter with a default: `void lock(site where = site::current())`. (clang
/// 14 has no std::source_location; the builtins work on all supported compilers.)
struct site {
    const char* file = "";
    const char* function = "";
    unsigned line = 0;
    /// Without it a copy would read padding with `line`, which costs a lock 5 ns.
    unsigned unused = 0;

    /// Returns the place of the call, when it is used as a default argument.
    [[gnu::always_inline]] static constexpr site current(
        const char* file = __builtin_FILE(), const char* function = __builtin_FUNCTION(),
        unsigned line = __builtin_LINE()) noexcept {
        return {file, function, line};
    }

    constexpr bool is_known() const noexcept { return line != 0; }

    /// Returns the last two components of the path. They suffice to find the file, and are equal in
    /// every checkout.
    constexpr const char* short_file() const noexcept {
        const char* last = file;
        const char* before = file;
        for (const char* c = file; *c != '\0'; ++c) {
            if (*c == '/') {
                before = last;
                last = c + 1;
            }
        }
        return before;
    }
};

/// Returns `dir/file.cpp:12`, or `?` if the place is unknown.
inline std::string to_string(const site& where) {
    if (!where.is_known()) return "?";
    return std::string(where.short_file()) + ":" + std::to_string(where.line);
}

}  // namespace wedge
