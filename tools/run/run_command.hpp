// `run`: runs a program with a library that hears its locks, and reports what it found.
#pragma once

#include <memory>

#include "wedge/main/subcommand.hpp"

namespace wedge::run {

/// The subcommand `run`, for `run_main`.
std::unique_ptr<subcommand> make_run_command();

}  // namespace wedge::run
