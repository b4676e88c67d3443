// Picks what carries the tasks.
#pragma once

#include <memory>

#include "wedge/base/check.hpp"
#include "wedge/explore/baton.hpp"
#include "wedge/explore/fiber.hpp"
#include "wedge/explore/options.hpp"

namespace wedge {

#if defined(WEDGE_FIBERS)
inline constexpr bool has_fibers = true;
#else
inline constexpr bool has_fibers = false;
#endif

/// @throws error  when fibers are asked for and not built in
inline std::unique_ptr<stack_switcher> make_switcher([[maybe_unused]] substrate on,
                                                     stack_user& user) {
#if defined(WEDGE_FIBERS)
    if (on != substrate::threads) return std::make_unique<fiber_switcher>(user);
#else
    if (on == substrate::fibers)
        throw error("fibers are not built in: link wedge::explore with Boost.Context");
#endif
    return std::make_unique<baton_switcher>(user);
}

}  // namespace wedge
