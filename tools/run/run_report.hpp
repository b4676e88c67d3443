// Reads what the preloaded library has written, and prints it with names.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "wedge/core/finding.hpp"

#include "run/symbols.hpp"

namespace wedge::run {

/// A class of locks of one process.
struct class_name {
    char how = '?';  ///< as `class_origin::how`
    std::vector<code_address> addresses;
    std::string name;         ///< for reports; empty until it is looked up
    std::string explanation;  ///< where such locks are made
};

/// A finding whose sites and stacks are still addresses.
struct raw_finding {
    finding found;
    bool is_alone = false;        ///< seen while the process had one thread
    bool is_only_thread = false;  ///< its thread's start function runs in no other thread
    std::vector<std::vector<code_address>> stacks;  ///< one per edge of the cycle, or one
    std::map<std::string, code_address> sites;      ///< by the text that stands in a site's file

    /// Returns whether the process has ended in this deadlock.
    bool is_confirmed() const noexcept { return found.judged == verdict::confirmed; }

    /// Returns whether the finding counts. A cycle that no two threads can have run into does not:
    /// it is shown as a remark.
    bool is_certain() const noexcept;
};

/// One process of a run.
struct run_process {
    std::uint64_t pid = 0;
    std::string program;
    std::uint64_t acquires = 0, locks = 0, classes = 0, edges = 0, threads = 0;
    bool has_ended = false;
    std::uint64_t number = 0;                   ///< of the processes of the run, from 1
    std::string trace;                          ///< the file of its trace, if it has recorded one
    std::uint64_t steps = 0;                    ///< taken in turn
    std::uint64_t followed = 0, to_follow = 0;  ///< events of a replayed trace
    std::uint64_t left_at = 0;  ///< the line where the run left the trace; 0: nowhere
    std::string why_left;
    std::map<std::uint32_t, class_name> class_names;
    std::vector<raw_finding> findings;
};

/// Reads the files of all processes of a run.
///
/// @throws error  the directory cannot be read
std::vector<run_process> read_run(const std::string& directory);

/// Returns the findings as text, in the form that `wedge explain` reads, and a line per process.
struct run_text {
    std::string text;
    std::size_t findings = 0;
    std::size_t remarks = 0;
    std::size_t allowed = 0;   ///< known findings and remarks, which count as neither
    std::size_t left_out = 0;  ///< findings of the order checker that were not asked for
};
/// Which findings are shown.
struct shown_findings {
    bool remarks = false;
    bool orders = true;  ///< those of the order checker; deadlocks that happened are always shown
};
/// @param is_allowed  whether a finding is known, by its signature; called for each
run_text text_of(std::vector<run_process>& run, const shown_findings& shown,
                 const std::function<bool(const std::string&)>& is_allowed);

/// Returns one line of JSON per finding and per process.
std::string json_of(std::vector<run_process>& run);

/// Returns a trace of the library with names in place of addresses.
std::string named_trace(const std::string& raw);

}  // namespace wedge::run
