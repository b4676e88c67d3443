// Checks a scenario. The engine is large, so one source compiles it for all benchmarks.
#pragma once

#include "wedge/scenario/check.hpp"

namespace bench {

wedge::scenario::check_result checked(const wedge::scenario::document& all,
                                      const wedge::scenario::check_options& options);

}  // namespace bench
