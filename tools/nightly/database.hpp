// The findings of all nights: one SQLite file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nightly/coverage.hpp"
#include "nightly/record.hpp"
#include "nightly/sql.hpp"

namespace wedge::nightly {

/// What a finding is in the last night.
namespace state {
inline constexpr const char* fresh = "new";          ///< seen for the first time
inline constexpr const char* known = "known";        ///< seen in an earlier night too
inline constexpr const char* fixed = "fixed";        ///< no longer reproduced
inline constexpr const char* reopened = "reopened";  ///< was fixed, and is seen again
inline constexpr const char* flaky = "flaky";        ///< its replay misses it, a search finds it
}  // namespace state

/// One row of the table `finding`.
struct finding_row {
    std::int64_t id = 0;
    std::string subject;  ///< the workload, or the scenario's file
    std::string signature;
    std::string kind;
    std::string what;
    std::string state;
    std::string program;  ///< the program that shows it
    bool is_expected = false;
    std::int64_t first_night = 0;
    std::int64_t last_night = 0;  ///< in which it was seen
    std::string first_seen;       ///< a time in UTC
    std::string last_seen;
    std::string first_revision;
    std::string last_revision;
    std::string fixed_revision;  ///< of the first night without it; empty: not fixed
    std::int64_t count = 0;      ///< how often it was seen
    std::int64_t clean = 0;      ///< nights in a row without it, of those that looked
    std::int64_t nights_seen = 0;
    std::int64_t nights_watched = 0;  ///< until it was seen last
    std::string record;               ///< the JSON of the finding

    /// Returns eight hexadecimal digits that stand for the signature in file names and on the
    /// command line.
    std::string short_name() const;

    /// Returns the line of the finding in a summary: its state, name, subject and signature.
    std::string line(bool is_allowed) const;
};

/// Returns how likely a finding is fixed after some nights without it. Each night has shown it at
/// its past rate; fixed and not fixed are taken as equally likely beforehand.
double chance_fixed(const finding_row& of);

/// One row of the table `night`.
struct night_row {
    std::int64_t id = 0;
    std::string began;
    std::string ended;  ///< empty: it was killed, or it runs
    std::string revision;
    std::string status;
    double seconds = 0;
};

/// One measurement of one job.
struct growth_row {
    std::string job;
    double at = 0;  ///< seconds since the night began
    std::int64_t inputs = 0;
    std::int64_t edges = 0;
    std::int64_t chains = 0;
    std::int64_t states = 0;
    std::int64_t corpus = 0;  ///< files
};

/// How one job of a night went.
struct job_row {
    std::string name;
    std::string kind;
    double seconds = 0;
    std::int64_t slices = 0;
    std::int64_t deaths = 0;
    std::string outcome;  ///< `ran`, or what went wrong
};

/// How the outcome of a job begins for which the night had no time.
inline constexpr std::string_view not_run_outcome = "not run";
/// How the outcome of a job begins that the end of the night has cut.
inline constexpr std::string_view cut_outcome = "not finished";

/// A finding that was refuted, as in the last night that said so.
struct refuted_row {
    std::string subject;
    std::string signature;
    std::string what;
    std::string classes;  ///< a JSON list, in the order of the cycle
};

/// The findings database. Every change is one transaction, so a kill at any time loses nothing that
/// was written before.
class database {
public:
    /// Opens the file, or makes it.
    ///
    /// @throws error  it is no database of wedge, or of a later version
    explicit database(const std::string& path);

    /// Makes all changes until its `commit` one transaction. Each transaction waits for the disk.
    sql_transaction together() { return sql_transaction(file_); }

    /// Begins a night. What an earlier night saw as new is known from now on, unless nobody was
    /// told: that night was killed, or its allow list has named the finding.
    std::int64_t begin_night(const std::string& revision, const std::string& build);
    void end_night(std::int64_t night, const std::string& status, double seconds);

    /// Notes that a night has seen a finding.
    ///
    /// @param program  that shows it; a path
    /// @return whether this makes the finding new or reopened
    bool see(std::int64_t night, const finding_seen& seen, const std::string& program,
             std::uint64_t times = 1);

    /// Notes that a night has looked for a finding without seeing it. `settle` decides later.
    void miss(std::int64_t night, std::int64_t finding);

    /// Notes that a subject came to what it states.
    void meet(std::int64_t night, const std::string& subject);

    /// Notes that the allow list of a night allows a finding.
    void allow(std::int64_t night, std::int64_t finding);

    /// Decides at the end of a night which of the missed findings are fixed, and which are flaky.
    void settle(std::int64_t night);

    void add(std::int64_t night, const growth_row& measured);
    /// Notes how a job went so far, instead of what was noted before.
    void add_job(std::int64_t night, const job_row& job);
    std::vector<job_row> jobs(std::int64_t night) const;

    /// Keeps what a statement says beside its findings: orders that are refuted, and the statistics
    /// of a stress run.
    void keep(std::int64_t night, const std::string& job, const std::vector<statement>& all);

    /// Notes which lines a night has reached.
    void keep(std::int64_t night, const std::vector<file_coverage>& files);
    std::vector<file_coverage> coverage(std::int64_t night) const;

    /// Returns the lock pairs of each subject that a night has run, by subject. `is_seen` is for
    /// this night. Of a scenario these are the pairs of its text, as the last search read it; of a
    /// workload those that any night has seen.
    std::vector<lock_pairs> reach(std::int64_t night) const;

    std::vector<finding_row> findings() const;
    std::vector<refuted_row> refuted() const;
    /// Returns the JSON of the last stress run of each job.
    std::vector<std::string> statistics() const;
    std::vector<night_row> nights() const;
    std::vector<growth_row> growth(std::int64_t night) const;
    /// Returns the ids of the findings that a night has seen.
    std::vector<std::int64_t> seen_in(std::int64_t night) const;
    /// Returns the ids of the findings that the allow list of the last night has allowed.
    std::vector<std::int64_t> allowed_in_last_night() const;
    /// Returns the subjects that came to what they state.
    std::vector<std::string> met_in(std::int64_t night) const;

    /// Returns the findings that a word names: an id, a signature, or its short name.
    std::vector<finding_row> named(const std::string& word) const;

    /// Takes over what another database, of a shard, has seen. A shard that was run again has
    /// several nights.
    void take_over(std::int64_t night, const database& other);

    sql_file& file() noexcept { return file_; }

private:
    std::string revision_of(std::int64_t night) const;
    void keep(std::int64_t night, const lock_pairs& of);
    void take_over_jobs(std::int64_t night, const std::vector<job_row>& jobs);

    sql_file file_;
};

/// Returns the time now in UTC: `2026-11-29T01:00:00Z`.
std::string time_now();

}  // namespace wedge::nightly
