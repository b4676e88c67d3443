#include "report/sources.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <string_view>

#include "wedge/core/check.hpp"
#include "wedge/main/files.hpp"

#include "nightly/database.hpp"
#include "nightly/job.hpp"

namespace wedge::report_files {

namespace fs = std::filesystem;

namespace {

using nightly::text_in;

std::string shown_text(const std::string& file) {
    try {
        return file.empty() ? "" : read_text(file, 16);
    } catch (const error&) {  // it is gone since
        return {};
    }
}

bool is_known(const shown_run& all, const std::string& subject, const std::string& signature) {
    return std::any_of(all.findings.begin(), all.findings.end(), [&](const shown_finding& each) {
        return each.subject == subject && text_in(each.shown, "signature") == signature;
    });
}

std::string texts_of(const json& list) {
    std::string text;
    if (list.is_array())
        for (const json& each : list)
            if (each.is_string()) text += (text.empty() ? "" : ", ") + each.get<std::string>();
    return text;
}

/// Fails a case for each finding that its subject does not state. A case with findings of which all
/// are allowed is skipped.
void add_findings(shown_case& made, const std::vector<nightly::finding_seen>& findings) {
    std::string allowed;
    for (const nightly::finding_seen& each : findings) {
        if (each.is_expected) continue;
        std::string& text = each.is_allowed ? allowed : made.why;
        text += (text.empty() ? "" : "; ") + each.what;
    }
    if (!made.why.empty()) {
        made.end = case_end::failed;
    } else if (!allowed.empty()) {
        made.end = case_end::skipped;
        made.why = "allowed: " + allowed;
    }
}

/// Returns the result of one statement. A command that states no result passes if it shows no
/// finding but those that its subject states.
shown_case case_of(const nightly::statement& said) {
    shown_case made{said.command, said.command, said.subject, case_end::passed, ""};
    if (!said.error.empty()) {
        made.end = case_end::error;
        made.why = said.error;
    } else if (said.outcome == "interrupted") {
        made.end = case_end::skipped;
        made.why = "interrupted";
    } else if (said.is_met && !*said.is_met) {
        made.end = case_end::failed;
        const std::string expected = texts_of(said.all.value("expected", json()));
        made.why = "found " + said.outcome +
                   ", expected: " + (expected.empty() ? "nothing found" : expected);
    } else {
        add_findings(made, nightly::findings_of(said));
    }
    return made;
}

/// Returns the case of a finding that a night knows.
shown_case case_of(const std::string& subject, const std::string& what, const std::string& state,
                   const std::string& first_seen, bool is_allowed = false) {
    shown_case made{"nightly", "finding", subject + ": " + what, case_end::passed, ""};
    if (is_allowed) {
        made.end = case_end::skipped;
        made.why = state + ", allowed";
    } else if (state == nightly::state::known) {
        made.end = case_end::skipped;
        made.why = "known since " + first_seen;
    } else if (state != nightly::state::fixed && state != "expected") {
        made.end = case_end::failed;
        made.why = state;
    }
    return made;
}

/// Adds one finding of `wedge nightly list --json`.
void add_listed(shown_run& into, const nightly::statement& said) {
    json history = json::object();
    for (const char* const key :
         {"first_seen", "last_seen", "first_revision", "last_revision", "fixed_revision", "count"})
        if (said.all.contains(key)) history[key] = said.all[key];
    history["clean"] = said.all.value("nights_clean", std::int64_t{0});
    history["chance"] = said.all.value("chance_fixed", 0.0);
    const bool is_expected = said.all.value("expected", false);
    const bool is_allowed = said.all.value("allowed", false);
    const std::string state = is_expected ? "expected" : text_in(said.all, "state");
    for (nightly::finding_seen& each : nightly::findings_of(said)) {
        each.all["signature"] = each.signature;
        into.cases.push_back(case_of(said.subject, text_in(each.all, "what"), state,
                                     text_in(said.all, "first_seen"), is_allowed));
        into.findings.push_back({said.subject, said.subject.ends_with(".wedge"), is_expected,
                                 is_allowed, state, std::move(each.all), history});
    }
}

/// Adds a finding of a statement, unless an earlier one has shown it.
void add_finding(shown_run& into, const nightly::statement& said, nightly::finding_seen& each,
                 const std::string& state, const std::string& file) {
    if (is_known(into, each.subject, each.signature)) return;
    each.all["signature"] = each.signature;
    // The scenario of `explain` is its text, or a file.
    if (const std::string whole = text_in(said.all, "scenario");
        whole.find('\n') != std::string::npos)
        each.all["scenario_text"] = whole;
    // A path in a record starts where the program ran; its files stand beside the record.
    if (const fs::path named = text_in(each.all, "scenario"); !named.empty() && !fs::exists(named))
        each.all["scenario"] = (fs::path(file).parent_path() / named.filename()).string();
    into.findings.push_back({each.subject, each.is_scenario, each.is_expected, each.is_allowed,
                             state, std::move(each.all), json::object()});
}

/// Returns the lock pairs of a subject: how many, how many were seen, and those that were not.
json shown_of(const nightly::lock_pairs& of) {
    json missed = json::array();
    for (const nightly::lock_pair& each : of.all)
        if (!each.is_seen)
            missed.push_back({{"held", each.held},
                              {"wanted", each.wanted},
                              {"held_at", each.held_at},
                              {"wanted_at", each.wanted_at},
                              {"last_seen", each.last_seen}});
    return {{"subject", of.subject},
            {"is_text", of.is_text},
            {"is_exhausted", of.is_exhausted},
            {"possible", of.all.size()},
            {"seen", of.all.size() - missed.size()},
            {"missed", std::move(missed)}};
}

void add_statements(shown_run& into, const std::string& file) {
    const std::string text = read_text(file);
    const std::vector<nightly::statement> all = nightly::read_statements(text, file);
    if (all.empty())
        throw error((file == "-" ? "standard input" : file) +
                    (text.empty() ? ": it is empty" : ": it has no JSON of a command of wedge") +
                    "; the output of a command with --json is expected, such as `wedge check "
                    "--json`");
    for (const nightly::statement& said : all) {
        if (said.command == "nightly") {
            add_listed(into, said);
            continue;
        }
        into.cases.push_back(case_of(said));
        if (!said.error.empty()) into.errors.push_back(said.error);
        if (const auto pairs = nightly::lock_pairs_of(said); pairs && pairs->is_text)
            into.reach.push_back(shown_of(*pairs));
        for (const nightly::finding_seen& each : nightly::refuted_in(said))
            into.refuted.push_back(
                {{"subject", each.subject}, {"what", each.what}, {"classes", each.classes}});
        // What explain has refuted is its answer. Other commands refute orders beside their
        // findings.
        if (said.command == "explain")
            for (nightly::finding_seen& each : nightly::refuted_in(said))
                add_finding(into, said, each, "refuted", file);
        if (said.command == "stress" && said.all.contains("classes"))
            into.statistics.push_back(said.all);
        for (nightly::finding_seen& each : nightly::findings_of(said))
            add_finding(into, said, each, each.is_expected ? "expected" : "new", file);
    }
}

json history_of(const nightly::finding_row& of) {
    return {{"first_seen", of.first_seen},
            {"last_seen", of.last_seen},
            {"first_revision", of.first_revision},
            {"last_revision", of.last_revision},
            {"fixed_revision", of.fixed_revision},
            {"count", of.count},
            {"clean", of.clean},
            {"chance", nightly::chance_fixed(of)}};
}

/// Returns the nights, each with what it has seen and run.
json nights_of(const nightly::database& all) {
    json made = json::array();
    for (const nightly::night_row& each : all.nights()) {
        std::int64_t inputs = 0;
        std::map<std::string, std::int64_t> by_job;
        for (const nightly::growth_row& row : all.growth(each.id)) by_job[row.job] = row.inputs;
        for (const auto& [job, count] : by_job) inputs += count;
        std::int64_t open = 0;
        for (const nightly::finding_row& row : all.findings())
            open += !row.is_expected && row.first_night <= each.id && row.last_night >= each.id;
        made.push_back({{"id", each.id},
                        {"began", each.began},
                        {"seconds", each.seconds},
                        {"revision", each.revision},
                        {"status", each.status},
                        {"seen", all.seen_in(each.id).size()},
                        {"inputs", inputs},
                        {"open", open}});
    }
    return made;
}

void add_database(shown_run& into, const std::string& file) {
    nightly::database all(file);
    const std::vector<nightly::night_row> nights = all.nights();
    const std::vector<std::int64_t> allowed = all.allowed_in_last_night();
    for (const nightly::finding_row& each : all.findings()) {
        const bool is_allowed = std::ranges::find(allowed, each.id) != allowed.end();
        json shown = json::parse(each.record, nullptr, false);
        if (!shown.is_object()) shown = json::object();
        shown["signature"] = each.signature;
        if (text_in(shown, "what").empty()) shown["what"] = each.what;
        into.cases.push_back(case_of(each.subject, each.what,
                                     each.is_expected ? "expected" : each.state, each.first_seen,
                                     is_allowed));
        into.findings.push_back({each.subject, each.subject.ends_with(".wedge"), each.is_expected,
                                 is_allowed, each.is_expected ? "expected" : each.state,
                                 std::move(shown), history_of(each)});
    }
    for (const nightly::refuted_row& each : all.refuted())
        into.refuted.push_back({{"subject", each.subject},
                                {"what", each.what},
                                {"classes", json::parse(each.classes, nullptr, false)}});
    into.nights = nights_of(all);
    if (nights.empty()) return;
    const nightly::night_row& last = nights.back();
    into.last_night = "night " + std::to_string(last.id) + ", " + last.began + ", revision " +
                      last.revision + ", " + last.status;
    for (const nightly::growth_row& row : all.growth(last.id))
        into.growth.push_back({{"job", row.job},
                               {"at", row.at},
                               {"inputs", row.inputs},
                               {"edges", row.edges},
                               {"chains", row.chains},
                               {"states", row.states},
                               {"corpus", row.corpus}});
    for (const std::string& each : all.statistics())
        into.statistics.push_back(json::parse(each, nullptr, false));
    for (const nightly::file_coverage& each : all.coverage(last.id))
        into.files.push_back({{"file", each.file},
                              {"lines", each.lines},
                              {"covered", each.covered},
                              {"missed", each.missed}});
    for (const nightly::lock_pairs& each : all.reach(last.id)) into.reach.push_back(shown_of(each));
    for (const nightly::job_row& job : all.jobs(last.id)) {
        into.jobs.push_back({{"name", job.name},
                             {"kind", job.kind},
                             {"seconds", job.seconds},
                             {"slices", job.slices},
                             {"deaths", job.deaths},
                             {"outcome", job.outcome}});
        const bool is_well = job.outcome == "ran";
        const bool is_short = job.outcome.starts_with(nightly::not_run_outcome) ||
                              job.outcome.starts_with(nightly::cut_outcome);
        into.cases.push_back({"nightly", job.kind, job.name,
                              is_well    ? case_end::passed
                              : is_short ? case_end::skipped
                                         : case_end::error,
                              is_well ? "" : job.outcome});
        if (job.outcome.starts_with(nightly::unread_outcome))
            into.errors.push_back(job.outcome.substr(nightly::unread_outcome.size()));
    }
}

void add_folder(shown_run& into, const std::string& folder) {
    const fs::path database = fs::path(folder) / "findings.sqlite";
    if (fs::exists(database)) return add_database(into, database.string());
    std::vector<std::string> files;
    for (const auto& each : fs::recursive_directory_iterator(folder))
        if (each.path().string().ends_with(".finding.json")) files.push_back(each.path().string());
    std::sort(files.begin(), files.end());
    if (files.empty())
        throw error(folder +
                    ": it has neither a findings.sqlite nor a *.finding.json; the folder "
                    "of a night or of `--out` is expected");
    for (const std::string& each : files) add_statements(into, each);
}

}  // namespace

shown_run read_runs(const std::vector<std::string>& paths) {
    shown_run all;
    for (const std::string& each : paths) {
        if (fs::is_directory(each)) {
            add_folder(all, each);
        } else if (each.ends_with(".sqlite")) {
            if (!fs::exists(each)) throw error(each + ": there is no such file");
            add_database(all, each);
        } else {
            add_statements(all, each);
        }
    }
    const auto rank = [](const shown_finding& of) {
        constexpr std::string_view order[] = {"new",   "reopened", "flaky",   "known",
                                              "fixed", "refuted",  "expected"};
        return std::pair(of.is_allowed, std::find(std::begin(order), std::end(order), of.state) -
                                            std::begin(order));
    };
    std::ranges::stable_sort(all.findings, {}, rank);
    for (shown_finding& each : all.findings)
        if (const std::string file = text_in(each.shown, "scenario");
            !file.empty() && !each.shown.contains("scenario_text"))
            each.shown["scenario_text"] = shown_text(file);
    return all;
}

}  // namespace wedge::report_files
