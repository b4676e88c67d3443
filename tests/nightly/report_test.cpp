// What `wedge report` reads, and its JUnit and SARIF.
#include <filesystem>

#include <doctest/doctest.h>

#include "wedge/core/check.hpp"
#include "wedge/main/files.hpp"

#include "main/fake_program.hpp"
#include "nightly/database.hpp"
#include "report/formats.hpp"

namespace nightly_report_test {
namespace {

using namespace wedge::report_files;
namespace nightly = wedge::nightly;

shown_run read(const std::string& text) {
    wedge::write_text("run.json", text);
    return read_runs({"run.json"});
}

std::string refusal(const std::string& text) {
    try {
        static_cast<void>(read(text));
    } catch (const wedge::error& wrong) {
        return wrong.what();
    }
    return "accepted";
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("report: a finding of explain is shown with its scenario") {
    const scratch_folder here;
    const shown_run all = read(
        "{\"schema\":1,\"command\":\"explain\",\"file\":\"mail\",\"kind\":\"circular\","
        "\"scenario\":"
        "\"lock a mutex\\n\",\"findings\":[{\"kind\":\"circular\",\"what\":\"a -> b -> "
        "a\",\"line\":7,"
        "\"verdict\":\"confirmed\",\"signature\":\"circular a b\"}]}\n");
    REQUIRE(all.findings.size() == 1);
    CHECK(all.findings[0].subject == "mail");
    CHECK(all.findings[0].shown.value("scenario_text", "") == "lock a mutex\n");
    CHECK(has(sarif_of(all), "\"startLine\": 7"));
    CHECK(has(html_of(all), "a -> b -> a"));
    CHECK(has(junit_of(all), "tests=\"1\" failures=\"1\""));
}

TEST_CASE("report: a finding of nightly list keeps its state and its history") {
    const scratch_folder here;
    const shown_run all = read(
        "{\"schema\":1,\"command\":\"nightly\",\"workload\":\"w\",\"state\":\"known\",\"first_"
        "seen\":"
        "\"2026-11-01\",\"count\":3,\"nights_clean\":0,\"chance_fixed\":0.5,\"expected\":false,"
        "\"findings\":[{\"kind\":\"circular\",\"what\":\"a\",\"signature\":\"cycle a\"}]}\n");
    REQUIRE(all.findings.size() == 1);
    CHECK(all.findings[0].state == "known");
    CHECK(all.findings[0].history.value("count", 0) == 3);
    CHECK(has(junit_of(all), "<skipped message=\"known since 2026-11-01\"/>"));
}

TEST_CASE("report: the page names lock pairs that were not reached, and none if all were") {
    const scratch_folder here;
    const auto said = [](const char* is_seen) {
        return std::string(
                   "{\"schema\":1,\"command\":\"check\",\"file\":\"a.wedge\",\"outcome\":\"sound\","
                   "\"findings\":[],\"exploration\":{\"executions\":1,\"exhausted\":true},"
                   "\"lock_pairs\":{\"seen\":0,\"possible\":1,\"pairs\":[{\"held\":\"a\","
                   "\"wanted\":"
                   "\"b\",\"held_at\":\"a.wedge:5\",\"wanted_at\":\"a.wedge:7\",\"seen\":") +
               is_seen + "}]},\"expected\":[\"sound\"],\"met\":true}\n";
    };
    const std::string missed = html_of(read(said("false")));
    CHECK(has(missed,
              "\"missed\":[{\"held\":\"a\",\"held_at\":\"a.wedge:5\",\"last_seen\":0,"
              "\"wanted\":\"b\",\"wanted_at\":\"a.wedge:7\"}],\"possible\":1,\"seen\":0"));
    const std::string reached = html_of(read(said("true")));
    CHECK(has(reached, "\"missed\":[],\"possible\":1,\"seen\":1"));
}

TEST_CASE("report: a file without anything of wedge is refused") {
    const scratch_folder here;
    CHECK(has(refusal(""), "run.json: it is empty; the output of a command with --json"));
    CHECK(has(refusal("a.wedge: sound, as expected\n"), "run.json: it has no JSON of a command"));
    CHECK(has(refusal("{\"workloads\":[]}\n"), "run.json: it has no JSON of a command"));
}

TEST_CASE("report: JUnit and SARIF have the message about a scenario that cannot be read") {
    const scratch_folder here;
    const shown_run all = read(
        "{\"schema\":1,\"command\":\"check\",\"file\":\"b.wedge\",\"outcome\":\"error\","
        "\"findings\":[],"
        "\"expected\":[],\"met\":false,\"error\":\"b.wedge:2:1: unknown word\"}\n"
        "{\"schema\":1,\"command\":\"check\",\"file\":\"a.wedge\",\"outcome\":\"deadlock\","
        "\"findings\":"
        "[],\"expected\":[\"sound\"],\"met\":false}\n");
    const std::string junit = junit_of(all);
    CHECK(has(junit, "tests=\"2\" failures=\"1\" errors=\"1\" skipped=\"0\""));
    CHECK(has(junit, "<error message=\"b.wedge:2:1: unknown word\"/>"));
    CHECK(has(junit, "<failure message=\"found deadlock, expected: sound\"/>"));
    CHECK(has(sarif_of(all), "b.wedge:2:1: unknown word"));
    CHECK(has(html_of(all), "b.wedge:2:1: unknown word"));
}

TEST_CASE("report: an allowed finding is skipped in JUnit, and hides no other") {
    const scratch_folder here;
    const auto said = [](const std::string& further) {
        return "{\"schema\":1,\"command\":\"check\",\"file\":\"a.wedge\",\"outcome\":\"deadlock\","
               "\"findings\":[{\"kind\":\"circular\",\"what\":\"a -> b -> a\",\"signature\":\"s\","
               "\"verdict\":\"confirmed\",\"allowed\":true}" +
               further +
               "],\"expected\":[\"sound\"],\"met\":" + (further.empty() ? "true" : "false") + "}\n";
    };
    const shown_run known = read(said(""));
    CHECK(has(junit_of(known), "<skipped message=\"allowed: a -&gt; b -&gt; a\"/>"));
    CHECK(has(sarif_of(known), "\"suppressions\""));
    CHECK(has(html_of(known), "\"allowed\":true"));
    const shown_run both = read(
        said(",{\"kind\":\"circular\",\"what\":\"c -> a -> c\",\"signature\":\"t\",\"verdict\":"
             "\"confirmed\"}"));
    CHECK(has(junit_of(both), "<failure message=\"found deadlock, expected: sound\"/>"));
    CHECK(both.findings.front().shown.value("signature", "") == "t");
}

TEST_CASE("report: what an interrupted search has not judged is no finding") {
    const scratch_folder here;
    const shown_run all = read(
        "{\"schema\":1,\"command\":\"check\",\"file\":\"a.wedge\",\"outcome\":\"interrupted\","
        "\"findings\":[{\"kind\":\"circular\",\"what\":\"a\",\"verdict\":\"unresolved\"},"
        "{\"kind\":\"circular\",\"what\":\"b\",\"verdict\":\"confirmed\"}],"
        "\"expected\":[\"sound\"],\"met\":false}\n");
    REQUIRE(all.findings.size() == 1);
    CHECK(nightly::text_in(all.findings.front().shown, "what") == "b");
}

TEST_CASE("report: SARIF names a scenario by its path, as a URI") {
    const scratch_folder here;
    const std::string file = std::filesystem::absolute("designs/a b.wedge").string();
    const std::string sarif = sarif_of(
        read("{\"schema\":1,\"command\":\"check\",\"file\":\"" + file +
             "\",\"outcome\":\"deadlock\",\"findings\":[{\"kind\":\"circular\",\"what\":\"a\","
             "\"verdict\":\"confirmed\",\"hang\":[{\"task\":\"t\",\"waits_for\":\"a\",\"at\":\"a "
             "b.wedge:4\"}]}],\"expected\":[\"sound\"],\"met\":false}\n"));
    CHECK(has(sarif, "\"uri\": \"designs/a%20b.wedge\""));
}

TEST_CASE("report: JUnit of nights has a case per job and per finding") {
    const scratch_folder here;
    {
        nightly::database all("findings.sqlite");
        const std::int64_t night = all.begin_night("r", "b");
        nightly::finding_seen seen;
        seen.command = "explore";
        seen.subject = "w";
        seen.signature = seen.what = "cycle a";
        seen.all = {{"kind", "circular"}, {"schedule", "s"}};
        all.see(night, seen, "p");
        all.add_job(night, {"check a.wedge", "check", 1, 1, 0, "ran"});
        all.add_job(night, {"check b.wedge", "check", 1, 1, 0, "cannot be read: b.wedge:2:1: x"});
        all.settle(night);
        all.end_night(night, "complete", 1);
    }
    const shown_run all = read_runs({"."});
    const std::string junit = junit_of(all);
    CHECK(has(junit, "name=\"wedge nightly\" tests=\"3\" failures=\"1\" errors=\"1\""));
    CHECK(has(junit, "<testcase classname=\"finding\" name=\"w: cycle a\">"));
    CHECK(has(junit, "<testcase classname=\"check\" name=\"check a.wedge\"/>"));
    REQUIRE(all.errors.size() == 1);
    CHECK(all.errors[0] == "b.wedge:2:1: x");
}

}  // namespace nightly_report_test
