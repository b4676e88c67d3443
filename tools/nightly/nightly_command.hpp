// `nightly`: runs nights, keeps what they find, and finds the commit of a finding.
#pragma once

#include <memory>

#include "wedge/main/subcommand.hpp"

namespace wedge::nightly {

/// The subcommand `nightly`, for `run_main`.
std::unique_ptr<subcommand> make_nightly_command();

}  // namespace wedge::nightly
