// Compiler settings that must be equal in a whole program. A program that mixes them aborts.
#pragma once

#include <cstdlib>
#include <cstring>

#include <unistd.h>

namespace wedge::detail {

/// The settings on which types and inline functions depend. Translation units with different
/// settings define one function in different ways; the linker takes any of the copies and reports
/// nothing.
enum class build_setting : unsigned char { level, fibers, thread_sanitizer, address_sanitizer };

inline constexpr unsigned build_settings = 4;

inline unsigned char values_seen[build_settings] = {};  // zero before any dynamic initialisation

/// Notes the value that a translation unit was compiled with. Aborts if another translation unit
/// had another value. A header whose code depends on a setting calls it from the initialiser of a
/// static variable.
///
/// @param value  below 8
inline bool register_build_setting(build_setting which, unsigned value) noexcept {
    unsigned char& seen = values_seen[static_cast<unsigned>(which)];
    seen = static_cast<unsigned char>(seen | (1U << value));
    if ((seen & (seen - 1)) == 0) return true;
    static constexpr const char* texts[build_settings] = {
        "WEDGE_LEVEL; set the level once, on the CMake target, for all of them\n",
        "WEDGE_FIBERS; link all of them that include wedge/explore with the same CMake target\n",
        "-fsanitize=thread; build all of them with it, or none\n",
        "-fsanitize=address; build all of them that include wedge/explore with it, or none\n",
    };
    const auto print = [](const char* text) {
        [[maybe_unused]] const auto written = ::write(2, text, std::strlen(text));
    };
    print("wedge: this program mixes translation units of different ");
    print(texts[static_cast<unsigned>(which)]);
    std::abort();
}

}  // namespace wedge::detail
