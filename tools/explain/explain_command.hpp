// `explain`: reads the reports about locks in logs and mails, and judges them.
#pragma once

#include <memory>

#include "wedge/main/subcommand.hpp"

namespace wedge::explain {

/// The subcommand `explain`, for `run_main`.
std::unique_ptr<subcommand> make_explain_command();

}  // namespace wedge::explain
