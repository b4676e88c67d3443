// The exclusive locks of the standard library, instrumented.
#pragma once

#include <mutex>

#include "wedge/lock/checked.hpp"

namespace wedge {

using mutex = checked<std::mutex>;
using timed_mutex = checked<std::timed_mutex>;

static_assert(sizeof(checked<std::mutex, level_constant<level::off>>) == sizeof(std::mutex));

}  // namespace wedge
