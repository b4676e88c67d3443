// A mutex that its holder may take again; only the outermost hold counts for the order.
#pragma once

#include <mutex>

#include "wedge/lock/checked.hpp"

namespace wedge {

using recursive_mutex = checked<std::recursive_mutex>;
using recursive_timed_mutex = checked<std::recursive_timed_mutex>;

}  // namespace wedge
