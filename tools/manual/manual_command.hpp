// `manual`: man pages and shell completion, made from the options of all subcommands.
#pragma once

#include <memory>

#include "wedge/main/subcommand.hpp"

namespace wedge::manual {

/// The subcommand `manual`, for `run_main`.
std::unique_ptr<subcommand> make_manual_command();

}  // namespace wedge::manual
