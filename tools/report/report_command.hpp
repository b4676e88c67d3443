// `report`: shows findings as a page, or hands them to other tools.
#pragma once

#include <memory>

#include "wedge/main/subcommand.hpp"

namespace wedge::report_files {

/// The subcommand `report`, for `run_main`.
std::unique_ptr<subcommand> make_report_command();

}  // namespace wedge::report_files
