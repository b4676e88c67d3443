// Finds the commit that introduced a finding, or that fixed it.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "nightly/database.hpp"

namespace wedge::nightly {

/// What a bisection needs.
struct bisection {
    finding_row what;
    std::string good;  ///< a commit without the finding
    std::string bad;   ///< a later commit with it
    std::string repository;
    std::vector<std::string> build;  ///< a command, run in a checkout of each commit
    std::string self;                ///< the wedge command
    std::string scratch;             ///< a folder for the checkout and the logs
};

/// Builds commits between two commits in a checkout of its own and replays the finding in each. A
/// commit that does not build is left out.
///
/// @param out  gets a line per commit and the result
/// @return the commits that may be the first one with the finding; more than one if commits between
///     them do not build
/// @throws error  git fails, or there is nothing between the commits
std::vector<std::string> bisect(const bisection& of, std::FILE* out);

}  // namespace wedge::nightly
