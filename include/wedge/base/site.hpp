// A place in the user's source: file, line and function of a call.
#pragma once

#include <string>

namespace wedge {

/// A place in the source. The strings are literals of the compiler and live for ever.
///
/// Take it as the last, defaulted parameter: `void lock(site where = site::current())`.
/// (std::source_location does not exist for clang 14; the builtins work on all our compilers.)
struct site {
    const char* file = "";
    const char* function = "";
    unsigned line = 0;
    unsigned unused = 0;  ///< or a copy would read padding with `line`, which costs a lock 5 ns

    /// The caller's place when used as a default argument.
    [[gnu::always_inline]] static constexpr site current(
        const char* file = __builtin_FILE(), const char* function = __builtin_FUNCTION(),
        unsigned line = __builtin_LINE()) noexcept {
        return {file, function, line};
    }

    constexpr bool is_known() const noexcept { return line != 0; }

    /// The last two components of the path: long enough to find it, the same in every checkout.
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

/// Prints `dir/file.cpp:12`, or `?` when unknown.
inline std::string to_string(const site& where) {
    if (!where.is_known()) return "?";
    return std::string(where.short_file()) + ":" + std::to_string(where.line);
}

}  // namespace wedge
