// How much of the instrumentation is compiled in: WEDGE_LEVEL, turned into a type at once.
#pragma once

#include <cstdlib>

#include <unistd.h>

#ifndef WEDGE_LEVEL
#define WEDGE_LEVEL 2
#endif

namespace wedge {

/// What a lock does besides locking.
enum class level : unsigned char {
    off = 0,     ///< the plain lock, the same instructions
    events = 1,  ///< events and held locks: assertions, watchdog, control by an engine
    order = 2,   ///< and the process-wide order checker listens
};

/// The level of this translation unit, as a type. Never a variable: that would break the ODR.
template <level L>
struct level_constant {
    static constexpr level value = L;
};

using default_level = level_constant<static_cast<level>(WEDGE_LEVEL)>;

static_assert(WEDGE_LEVEL >= 0 && WEDGE_LEVEL <= 2, "WEDGE_LEVEL is 0, 1 or 2");

namespace detail {

inline unsigned char levels_seen = 0;  // zero before any dynamic initialisation

/// Notes that a translation unit was compiled at `own`; aborts at start-up when another was not.
///
/// A type that holds a wedge lock has two layouts then, which no linker reports.
inline bool register_level(level own) noexcept {
    levels_seen = static_cast<unsigned char>(levels_seen | (1U << static_cast<unsigned>(own)));
    if ((levels_seen & (levels_seen - 1)) != 0) {
        static constexpr char text[] =
            "wedge: this program mixes translation units of different WEDGE_LEVEL; "
            "set the level once, on the CMake target, for all of them\n";
        [[maybe_unused]] const auto written = ::write(2, text, sizeof text - 1);
        std::abort();
    }
    return true;
}

[[maybe_unused]] static const bool level_is_registered = register_level(default_level::value);

}  // namespace detail
}  // namespace wedge
