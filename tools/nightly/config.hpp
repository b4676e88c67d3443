// What a night runs: the programs, their workloads, and how long.
#pragma once

#include <string>
#include <vector>

namespace wedge::nightly {

/// What drives a job.
enum class job_kind { fuzz, plain_fuzz, explore, hunt, stress, check };
const char* name_of(job_kind kind);

/// One thing that a night can spend time on.
struct job_config {
    job_kind kind{};
    std::string name;                  ///< in reports and file names; unique
    std::string program;               ///< a path, as the user wrote it
    std::string subject;               ///< a workload, a design, or a scenario; empty: all
    std::vector<std::string> options;  ///< more arguments
    std::vector<std::string> seeds;    ///< folders of inputs that are only read
    std::string coverage{};  ///< a fuzz target built with source coverage; empty: not measured
};

/// A whole night.
struct night_config {
    std::string file;             ///< the configuration, for messages
    std::string folder;           ///< relative paths start here, and the programs run here
    std::string out = "nightly";  ///< the database, the findings, the corpora and the logs
    std::string database;         ///< default: `OUT/findings.sqlite`
    std::string allow_list;       ///< a file; empty: nothing is allowed (docs/allow_list.md)
    double seconds = 600;
    /// Files and directories of which the reached lines are counted; default: the folder.
    std::vector<std::string> coverage_of;
    unsigned jobs = 0;             ///< processes at a time; 0: one per processor
    double slice = 0;              ///< seconds that a job runs at a time; 0: by the budget
    std::string engine = "local";  ///< what runs the shards: `local` or `slurm`
    unsigned shards = 1;           ///< processes `wedge nightly` that share the work
    unsigned shard = 0;            ///< which of them this one is
    std::string shared;            ///< of a shard: the folder with the corpora of all
    std::vector<job_config> all;
};

/// Reads a configuration (docs/nightly.md), or makes one from a folder: a folder with a
/// `nightly.toml` means that file. Otherwise its programs `fuzz_…` and `stress_…` and its scenarios
/// take part.
///
/// @param self  the wedge command, which checks scenarios
/// @throws error  `FILE:LINE:COLUMN: …`
night_config read_config(const std::string& path, const std::string& self);

}  // namespace wedge::nightly
