#include "report/sources.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <string_view>

#include "wedge/core/check.hpp"
#include "wedge/main/files.hpp"

#include "nightly/database.hpp"

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

void add_statements(shown_run& into, const std::string& file) {
    for (const nightly::statement& said : nightly::read_statements(read_text(file), file)) {
        if (said.command == "nightly") continue;
        if (said.is_met)
            into.cases.push_back({said.command, said.subject, said.outcome, *said.is_met,
                                  *said.is_met ? ""
                                               : "found " + said.outcome + ", expected " +
                                                     said.all.value("expected", json()).dump()});
        for (const nightly::finding_seen& each : nightly::refuted_in(said))
            into.refuted.push_back(
                {{"subject", each.subject}, {"what", each.what}, {"classes", each.classes}});
        if (said.command == "stress" && said.all.contains("classes"))
            into.statistics.push_back(said.all);
        for (nightly::finding_seen& each : nightly::findings_of(said)) {
            if (is_known(into, each.subject, each.signature)) continue;
            each.all["signature"] = each.signature;
            // A path in a record starts where the program ran; its files stand beside the record.
            if (const fs::path named = text_in(each.all, "scenario");
                !named.empty() && !fs::exists(named))
                each.all["scenario"] = (fs::path(file).parent_path() / named.filename()).string();
            into.findings.push_back({each.subject, each.is_scenario, each.is_expected,
                                     each.is_expected ? "expected" : "new", std::move(each.all),
                                     json::object()});
        }
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
    for (const nightly::finding_row& each : all.findings()) {
        json shown = json::parse(each.record, nullptr, false);
        if (!shown.is_object()) shown = json::object();
        shown["signature"] = each.signature;
        if (text_in(shown, "what").empty()) shown["what"] = each.what;
        into.findings.push_back({each.subject, each.subject.ends_with(".wedge"), each.is_expected,
                                 each.is_expected ? "expected" : each.state, std::move(shown),
                                 history_of(each)});
    }
    for (const nightly::refuted_row& each : all.refuted())
        into.refuted.push_back({{"subject", each.subject},
                                {"what", each.what},
                                {"classes", json::parse(each.classes, nullptr, false)}});
    into.nights = nights_of(all);
    const std::vector<nightly::night_row> nights = all.nights();
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
    nightly::sql_query jobs(
        all.file(), "SELECT name, kind, seconds, slices, deaths, outcome FROM job WHERE night = ?");
    jobs.bind(last.id);
    while (jobs.next())
        into.jobs.push_back({{"name", jobs.text(0)},
                             {"kind", jobs.text(1)},
                             {"seconds", jobs.real(2)},
                             {"slices", jobs.number(3)},
                             {"deaths", jobs.number(4)},
                             {"outcome", jobs.text(5)}});
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
        const std::size_t before = all.findings.size() + all.cases.size();
        if (fs::is_directory(each)) {
            add_folder(all, each);
        } else if (each.ends_with(".sqlite")) {
            if (!fs::exists(each)) throw error(each + ": there is no such file");
            add_database(all, each);
        } else {
            add_statements(all, each);
            if (all.findings.size() + all.cases.size() == before && read_text(each).empty())
                throw error(each +
                            ": it is empty; the output of a command with --json is expected");
        }
    }
    const auto rank = [](const shown_finding& of) {
        constexpr std::string_view order[] = {"new",   "reopened", "flaky",
                                              "known", "fixed",    "expected"};
        return std::find(std::begin(order), std::end(order), of.state) - std::begin(order);
    };
    std::ranges::stable_sort(all.findings, {}, rank);
    for (shown_finding& each : all.findings)
        if (const std::string file = text_in(each.shown, "scenario"); !file.empty())
            each.shown["scenario_text"] = shown_text(file);
    return all;
}

}  // namespace wedge::report_files
