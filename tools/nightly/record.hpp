// The JSON that wedge's commands print, and the records of findings, as values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace wedge::nightly {

using json = nlohmann::json;

/// The version of the JSON that is read here (docs/machine_readable.md).
inline constexpr int schema_read = 1;

/// What one command said about one subject: one line of its output, or one `.finding.json`.
struct statement {
    std::string command;  ///< `check`, `hunt`, `fuzz`, …
    std::string subject;  ///< the workload, or the scenario's file
    bool is_scenario = false;
    std::string program;  ///< which task calls what; empty for scenarios
    std::string outcome;
    std::optional<bool> is_met;  ///< whether the outcome is the expected one, if that is said
    std::string error;           ///< why the subject cannot be read; empty: it was read
    json all;                    ///< the whole object
};

/// One finding of a statement.
struct finding_seen {
    std::string command;
    std::string subject;
    bool is_scenario = false;
    std::string program;
    std::string signature;
    std::string kind;
    std::string what;
    std::string verdict;
    std::vector<std::string> classes;
    bool is_expected = false;  ///< the subject states that it is broken
    bool is_allowed = false;   ///< the command was given an allow list that names it
    json all;                  ///< the finding's object
};

/// A lock pair: a class of locks that is held while another class is wanted.
struct lock_pair {
    std::string held;
    std::string wanted;
    std::string held_at;  ///< places in the sources
    std::string wanted_at;
    bool is_seen = false;        ///< a run has reached it
    std::int64_t last_seen = 0;  ///< of a database: the last night that has reached it; 0: none
};

/// The lock pairs of a subject.
struct lock_pairs {
    std::string subject;
    bool is_text = false;       ///< these are all pairs of the text of a scenario
    bool is_exhausted = false;  ///< every schedule of the scenario was tried
    std::vector<lock_pair> all;
};

/// Returns a text of an object; empty if it is missing or null.
std::string text_in(const json& object, const char* key);

/// Reads the statements of a text with one JSON object per line. Lines that are no objects are
/// left out: a command may print other lines among them.
///
/// @param name  of the text, for messages
/// @throws error  a statement has a schema that this build cannot read
std::vector<statement> read_statements(std::string_view text, const std::string& name);

/// Returns the findings of a statement that are not refuted. What an interrupted search has not
/// judged is left out, since the search may have refuted it.
///
/// A finding without a signature, and a result that is not the expected one, get one from what is
/// known about them.
std::vector<finding_seen> findings_of(const statement& said);

/// Returns the findings of a statement that are refuted.
std::vector<finding_seen> refuted_in(const statement& said);

/// Returns the lock pairs of a statement; nothing if it has none.
std::optional<lock_pairs> lock_pairs_of(const statement& said);

/// Returns the finding that a subject has another result than it states; nothing if it has not, or
/// if the subject cannot be read.
std::optional<finding_seen> broken_expectation(const statement& said);

}  // namespace wedge::nightly
