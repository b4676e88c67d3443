// How much of the instrumentation is compiled in: WEDGE_LEVEL, turned into a type at once.
#pragma once

#include "wedge/base/one_build.hpp"

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

/// A type that holds a wedge lock has one layout for each level.
[[maybe_unused]] static const bool level_is_registered =
    register_build_setting(build_setting::level, WEDGE_LEVEL);

}  // namespace detail
}  // namespace wedge
