#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <string_view>

#include "wedge/main/version.hpp"
#include "wedge/report/words.hpp"

#include "report/formats.hpp"

namespace wedge::report_files {

namespace {

using nightly::text_in;

/// Returns a URI reference (RFC 3986) of a file: relative to the current directory, which is that
/// of the sources in a workflow, if the file is below it.
std::string uri_of(const std::string& file) {
    namespace fs = std::filesystem;
    std::string path = file;
    if (fs::path(file).is_absolute()) {
        const std::string below = fs::path(file).lexically_relative(fs::current_path()).string();
        if (!below.empty() && !below.starts_with("..")) path = below;
    }
    std::string made;
    for (const char c : path) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 ||
            std::string_view("-._~/").find(c) != std::string_view::npos) {
            made += c;
            continue;
        }
        char text[8];
        std::snprintf(text, sizeof text, "%%%02X", byte);
        made += text;
    }
    return made;
}

/// Returns the SARIF location of a `file:line`; null if the text has another form.
///
/// @param subject  of the finding. The places in a scenario have its name without its folder
json location_of(const std::string& place, const std::string& subject) {
    const std::size_t colon = place.rfind(':');
    if (colon == std::string::npos || colon == 0) return nullptr;
    const int line = std::atoi(place.c_str() + colon + 1);
    if (line <= 0) return nullptr;
    const std::string file = place.substr(0, colon);
    const bool is_subject = std::filesystem::path(subject).filename() == file;
    return {{"physicalLocation",
             {{"artifactLocation", {{"uri", uri_of(is_subject ? subject : file)}}},
              {"region", {{"startLine", line}}}}}};
}

std::string said(const json& step) {
    return text_in(step, "does") + " " + text_in(step, "object") +
           (step.value("shared", false) ? " (shared)" : "");
}

/// Returns a thread flow per task, in the order of the schedule.
json flows_of(const json& finding, const std::string& subject) {
    json threads = json::array();
    const auto timeline = finding.find("timeline");
    if (timeline == finding.end() || !timeline->is_object()) return threads;
    const json& tasks = (*timeline)["tasks"];
    for (std::size_t task = 0; task < tasks.size(); ++task) {
        json locations = json::array();
        std::size_t order = 0;
        for (const json& step : (*timeline)["steps"]) {
            ++order;
            if (step.value("task", std::size_t{0}) != task) continue;
            json location = location_of(text_in(step, "at"), subject);
            if (location.is_null()) continue;
            location["message"] = {{"text", said(step)}};
            locations.push_back({{"location", location}, {"executionOrder", order}});
        }
        if (!locations.empty())
            threads.push_back({{"id", tasks[task]},
                               {"message", {{"text", tasks[task]}}},
                               {"locations", std::move(locations)}});
    }
    return threads;
}

/// Returns where a finding is: its last wait, or the place in a scenario.
json places_of(const shown_finding& of) {
    json all = json::array();
    if (const auto hang = of.shown.find("hang"); hang != of.shown.end() && hang->is_array())
        for (const json& link : *hang) {
            json location = location_of(text_in(link, "at"), of.subject);
            if (location.is_null()) continue;
            location["message"] = {
                {"text", text_in(link, "task") + " waits for " + text_in(link, "waits_for")}};
            all.push_back(std::move(location));
        }
    // A report that `explain` has read begins at a line of its file.
    const std::size_t line = of.shown.value("line", std::size_t{of.is_scenario});
    if (all.empty() && line > 0)
        all.push_back(location_of(of.subject + ":" + std::to_string(line), of.subject));
    return all;
}

/// Returns the rules: the kinds of wedge's findings, and those that only this run has, such as a
/// kind of a kernel's report.
json rules_of(const shown_run& run) {
    json all = json::array();
    std::set<std::string> known(finding_names.begin(), finding_names.end());
    for (std::size_t i = 0; i < finding_names.size(); ++i)
        all.push_back({{"id", finding_names[i]},
                       {"shortDescription", {{"text", report::finding_meanings[i]}}}});
    for (const shown_finding& each : run.findings) {
        const std::string kind = text_in(each.shown, "kind");
        if (known.insert(kind).second)
            all.push_back({{"id", kind}, {"shortDescription", {{"text", kind}}}});
    }
    return all;
}

/// Returns what could not be read, as SARIF's notifications of an invocation.
json invocations_of(const shown_run& all) {
    json notes = json::array();
    for (const std::string& each : all.errors)
        notes.push_back({{"level", "error"}, {"message", {{"text", each}}}});
    return {{{"executionSuccessful", all.errors.empty()},
             {"toolExecutionNotifications", std::move(notes)}}};
}

const char* level_of(const shown_finding& of) {
    const std::string verdict = text_in(of.shown, "verdict");
    if (of.state == "fixed" || of.state == "refuted" || of.is_expected) return "note";
    return verdict == "unresolved" ? "warning" : "error";
}

}  // namespace

std::string sarif_of(const shown_run& all) {
    static const std::map<std::string, const char*> baseline = {{"new", "new"},
                                                                {"reopened", "updated"},
                                                                {"known", "unchanged"},
                                                                {"flaky", "unchanged"},
                                                                {"fixed", "absent"}};
    json results = json::array();
    for (const shown_finding& each : all.findings) {
        json result = {
            {"ruleId", text_in(each.shown, "kind")},
            {"level", level_of(each)},
            {"message", {{"text", each.subject + ": " + text_in(each.shown, "what")}}},
            {"locations", places_of(each)},
            {"partialFingerprints", {{"signature/v1", text_in(each.shown, "signature")}}}};
        if (const auto known = baseline.find(each.state);
            known != baseline.end() && !all.last_night.empty())
            result["baselineState"] = known->second;
        if (each.is_allowed)
            result["suppressions"] = {{{"kind", "external"}, {"status", "accepted"}}};
        if (json threads = flows_of(each.shown, each.subject); !threads.empty())
            result["codeFlows"] = {{{"message", {{"text", "the schedule that shows it"}}},
                                    {"threadFlows", std::move(threads)}}};
        results.push_back(std::move(result));
    }
    const json made = {
        {"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
        {"version", "2.1.0"},
        {"runs",
         {{{"tool",
            {{"driver",
              {{"name", "wedge"}, {"semanticVersion", version}, {"rules", rules_of(all)}}}}},
           {"invocations", invocations_of(all)},
           {"results", std::move(results)}}}}};
    return made.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace wedge::report_files
