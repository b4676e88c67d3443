// What `wedge report` shows: findings from databases, from records and from the output of commands.
#pragma once

#include <string>
#include <vector>

#include "nightly/record.hpp"

namespace wedge::report_files {

using nightly::json;

/// One finding to show. `shown` is its JSON object; the rest is empty without a database.
struct shown_finding {
    std::string subject;
    bool is_scenario = false;
    bool is_expected = false;
    bool is_allowed = false;  ///< by the allow list of the command, or of the last night
    std::string state;
    json shown;
    json history;  ///< what the database knows about it
};

/// How a case of JUnit ended.
enum class case_end { passed, failed, error, skipped };

/// One result, for JUnit: of a command, of a job of a night, or of a finding of a night.
struct shown_case {
    std::string suite;  ///< the command, or `nightly`
    std::string group;  ///< the command, the kind of a job, or `finding`
    std::string name;
    case_end end = case_end::passed;
    std::string why;  ///< it has not passed
};

/// Everything that a report shows.
struct shown_run {
    std::vector<shown_finding> findings;
    std::vector<shown_case> cases;
    std::vector<std::string> errors;  ///< of subjects that cannot be read
    json nights = json::array();
    json jobs = json::array();
    json growth = json::array();
    json refuted = json::array();     ///< orders that cannot deadlock: subject, what, classes
    json files = json::array();       ///< lines that the last night reached
    json reach = json::array();       ///< lock pairs that the last night reached
    json statistics = json::array();  ///< of stress runs, as `stress --json` prints them
    std::string last_night;           ///< `night 3, …`; empty: no database
};

/// Reads runs: databases `….sqlite`, folders of nights or of records, and files with the JSON of
/// commands; `-` is the standard input.
///
/// @throws error  a run cannot be read, or has no statement of wedge in it
shown_run read_runs(const std::vector<std::string>& paths);

}  // namespace wedge::report_files
