// Which lines of the user's files a night has reached, by clang's source coverage.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wedge::nightly {

/// The lines of one file.
struct file_coverage {
    std::string file;
    std::int64_t lines = 0;    ///< that have code
    std::int64_t covered = 0;  ///< of them, those that ran
    std::string missed;        ///< the others, as `12-14, 20`
};

/// Reads what `llvm-cov export -format=lcov` prints.
///
/// @param wanted  absolute paths of files and directories; files elsewhere are left out
std::vector<file_coverage> coverage_in(std::string_view lcov,
                                       const std::vector<std::string>& wanted);

/// A program that was built with `-fprofile-instr-generate -fcoverage-mapping`, and what it runs.
struct covered_program {
    std::vector<std::string> words;  ///< the program and its arguments
    std::string name;                ///< for file names
};

/// Runs programs and returns the lines that they reach. Blocks until they have ended.
///
/// @param scratch  a directory for profiles and logs
/// @param folder   the programs run here
/// @param time     for each program
/// @param wanted   as in `coverage_in`
/// @throws error  LLVM's tools are missing, or a program leaves no profile: what to do
std::vector<file_coverage> measure_coverage(const std::vector<covered_program>& programs,
                                            const std::string& scratch, const std::string& folder,
                                            std::chrono::milliseconds time,
                                            const std::vector<std::string>& wanted);

}  // namespace wedge::nightly
