// Locks by class alone, whose steps go straight to an order checker.
#pragma once

#include <cstddef>
#include <deque>
#include <string>

#include "wedge/core/steps.hpp"

namespace bench {

using identities = std::deque<wedge::lock_identity>;

/// Makes locks of one class each.
inline identities make_classes(std::size_t count) {
    identities made;
    for (std::size_t i = 0; i < count; ++i)
        made.emplace_back(wedge::lock_kind::mutex,
                          wedge::lock_class(("class " + std::to_string(i)).c_str()));
    return made;
}

inline void enter(wedge::task& self, wedge::lock_identity& lock) {
    wedge::detail::attempt(self, lock, {});
    wedge::detail::acquired(self, lock, {});
}
inline void leave(wedge::task& self, wedge::lock_identity& lock) {
    wedge::detail::released(self, lock, wedge::mode::exclusive, {});
}
inline void nest(wedge::task& self, wedge::lock_identity& outer, wedge::lock_identity& inner) {
    enter(self, outer);
    enter(self, inner);
    leave(self, inner);
    leave(self, outer);
}

}  // namespace bench
