// One night: re-runs what is known, shares the time among the jobs, and keeps what they find.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "wedge/report/allow_list.hpp"

#include "nightly/config.hpp"
#include "nightly/database.hpp"
#include "nightly/job.hpp"

namespace wedge::nightly {

/// What a replay of a finding says.
enum class replayed { again, gone, unclear };

/// Runs the artefacts of a finding again, in the order input, schedule, program.
///
/// @param scratch  a folder for logs
/// @param folder   the programs run here
replayed replay(const finding_row& of, const std::string& self, const std::string& scratch,
                const std::string& folder);

/// Returns what `git` calls the sources in a folder; `unknown` without git. A changed work tree
/// has `+` at its end.
std::string revision_in(const std::string& folder);

/// Returns the findings that are new or reopened in a night that is settled. Notes those that the
/// allow list names, and leaves them out.
std::vector<finding_row> news_of(database& all, std::int64_t night, allow_list& allowed);

/// What a line of progress counts.
struct progress_counts {
    std::int64_t inputs = 0;
    std::int64_t executions = 0;
    std::int64_t findings = 0;
};
/// Returns the counts of the last line of progress in the output of a night; zeros: it has none.
progress_counts progress_in(std::string_view output);

/// How a night ended.
struct night_result {
    std::int64_t number = 0;
    std::vector<finding_row> news;  ///< new or reopened, neither expected nor allowed
    bool is_interrupted = false;
    bool has_dead_jobs = false;  ///< a job died again and again, and was given up
    bool has_unread = false;     ///< a scenario, for example, cannot be read
};

/// One night. Run it once.
class night {
public:
    using clock = std::chrono::steady_clock;

    /// @param self  the wedge command
    /// @param out   gets the summary
    /// @param err   gets the progress
    night(night_config config, std::string self, std::FILE* out, std::FILE* err);

    night_result run();

private:
    static constexpr std::uint64_t deaths_max = 5;  // in a row, after which a job is given up

    void prepare();
    void rerun_known();
    void fuzz_and_search();
    void run_shards();
    std::vector<std::string> words_of_shard(unsigned shard) const;
    void take_over_jobs();
    void take_over_shards(std::int64_t number);
    void take_over_killed_shards();
    void run_shards_here();
    progress_counts counts_so_far() const;
    void run_shards_by_slurm();
    void share_corpus(const job_state& job) const;
    bool is_mine(std::size_t job) const;
    void start(job_state& job, std::uint64_t turn);
    std::string known_of(const job_state& job) const;
    void finish(job_state& job);
    void note_expectation(job_state& job, const statement& said, bool is_silent);
    void give_up(job_state& job, const std::string& why);
    void judge_end(job_state& job, const ending_of_child& how, bool has_finding, bool has_result,
                   const std::string& output);
    void see(const finding_seen& seen, const std::string& program);
    void read_records(const std::string& program);
    void read_record(const std::string& name, const std::string& program);
    void stop_all();
    void merge_corpora();
    void merge(job_state& job);
    void note_coverage();
    night_result conclude();
    void print_summary(const night_result& how) const;
    void print_troubles() const;
    void say(const std::string& line) const;
    void show_progress(bool is_last);

    double elapsed() const;
    double left() const { return config_.seconds - elapsed(); }
    std::string path(const std::string& name) const { return out_ + "/" + name; }

    night_config config_;
    const std::string self_;
    std::FILE* const out_file_;
    std::FILE* const err_file_;
    const std::string out_;  // the folder, absolute
    const std::string findings_;
    database all_;
    allow_list allowed_;
    std::vector<job_state> jobs_;
    std::map<std::string, std::filesystem::file_time_type> read_;  // records
    std::map<std::string, std::set<std::string>> shown_;  // signatures of this night, by subject
    std::int64_t number_ = 0;
    std::uint64_t news_ = 0;
    std::vector<std::string> shard_logs_;  // while shards run
    std::string phase_;
    clock::time_point began_ = clock::now();
    clock::time_point said_ = began_;
};

}  // namespace wedge::nightly
