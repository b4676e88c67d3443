// One job of a night: what its slices run, and what they have yielded.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "nightly/child.hpp"
#include "nightly/config.hpp"
#include "nightly/record.hpp"

namespace wedge::nightly {

/// What a fuzz target has said about its progress.
struct fuzz_counts {
    std::int64_t inputs = 0;
    std::int64_t edges = 0;
    std::int64_t chains = 0;
};
/// Returns the last progress line in the output of a fuzz target; wedge's own, else libFuzzer's.
fuzz_counts counts_in(std::string_view output);

/// Returns the finding of a sanitizer, of libFuzzer, or of a wedge target without a record: its
/// summary line without addresses. Nothing if the output has none.
std::optional<finding_seen> summary_in(std::string_view output, const job_config& of);

/// Returns the command line of a slice of a job.
///
/// @param seconds   how long it shall run
/// @param seed      differs from slice to slice
/// @param folder    where it saves findings
/// @param corpus    of a fuzz target
/// @param known     a file with findings that a fuzz target shall ignore; empty: none
std::vector<std::string> words_of(const job_config& job, double seconds, std::uint64_t seed,
                                  const std::string& folder, const std::string& corpus,
                                  const std::string& known = {});

/// A job and its history in this night.
struct job_state {
    job_config what;
    std::string log;     ///< of the running slice
    std::string corpus;  ///< of a fuzz target
    std::optional<child> running{};
    std::uint64_t slices = 0;
    std::uint64_t deaths = 0;         ///< in all
    std::uint64_t deaths_in_row = 0;  ///< of the last slices
    double seconds = 0;
    double gain = 0;              ///< of the last slice, per second
    std::uint64_t last_turn = 0;  ///< when it ran last
    bool is_over = false;         ///< there is nothing left to do
    std::string outcome{"waited"};
    fuzz_counts best{};       ///< the most that a slice has reached
    std::int64_t inputs = 0;  ///< of all slices
    std::int64_t states = 0;  ///< executions of explorations, of all slices
    std::int64_t corpus_files = 0;
    std::set<std::string> met{};  ///< subjects whose result is as they state
    /// Subjects that have not shown yet what they state. A hunt may need more than one slice.
    std::map<std::string, finding_seen> unmet{};
    /// Why subjects cannot be read, by subject: the messages of the program.
    std::map<std::string, std::string> unread{};
};

/// How the outcome of a job begins that has a subject which cannot be read.
inline constexpr std::string_view unread_outcome = "cannot be read: ";
/// How the outcome of a job begins that was given up.
inline constexpr std::string_view lost_outcome = "given up: ";

/// Returns what a program said last: the reason, if it refused to run. Empty: nothing.
std::string last_words(std::string_view output);

/// Returns the job that the next slice goes to: one that never ran; every third time the one that
/// has waited longest; otherwise the one whose last slice brought the most news per second.
///
/// @return its place; nothing if no job can run
std::optional<std::size_t> next_job(const std::vector<job_state>& all, std::uint64_t turn);

}  // namespace wedge::nightly
