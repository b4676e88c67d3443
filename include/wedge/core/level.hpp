// How much of the instrumentation is compiled in: the macro WEDGE_LEVEL, turned into a type.
#pragma once

#include "wedge/core/one_build.hpp"

#ifndef WEDGE_LEVEL
#define WEDGE_LEVEL 2
#endif

namespace wedge {

/// What a lock does in addition to locking.
enum class level : unsigned char {
    off = 0,     ///< nothing: the plain lock, with equal instructions
    events = 1,  ///< events and held locks, for assertions, the watchdog, and control by an engine
    order = 2,   ///< as `events`, and the process-wide order checker listens
};

/// The level of this translation unit, as a type. A variable would break the one-definition rule,
/// since its value differs between translation units.
template <level L>
struct level_constant {
    static constexpr level value = L;
};

using default_level = level_constant<static_cast<level>(WEDGE_LEVEL)>;

static_assert(WEDGE_LEVEL >= 0 && WEDGE_LEVEL <= 2, "WEDGE_LEVEL is 0, 1 or 2");

namespace detail {

/// The layout of a type that holds a wedge lock depends on the level.
[[maybe_unused]] static const bool level_is_registered =
    register_build_setting(build_setting::level, WEDGE_LEVEL);

}  // namespace detail
}  // namespace wedge
