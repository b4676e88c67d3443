// `predict`: reads a trace, and reports the deadlocks that other orders of its events have.
#pragma once

#include <memory>

#include "wedge/main/subcommand.hpp"

namespace wedge::predict {

/// The subcommand `predict`, for `run_main`.
std::unique_ptr<subcommand> make_predict_command();

}  // namespace wedge::predict
