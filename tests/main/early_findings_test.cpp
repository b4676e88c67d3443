#include "wedge/main/early_findings.hpp"

#include <filesystem>

#include <doctest/doctest.h>

#include "wedge/main/files.hpp"

#include "main/fake_program.hpp"
#include "report/sample_findings.hpp"

namespace early_findings_test {
namespace {

wedge::outcome after(std::uint64_t executions, std::vector<wedge::finding> found = {}) {
    wedge::outcome made;
    made.executions = executions;
    made.findings = std::move(found);
    return made;
}

wedge::finding with_schedule() {
    wedge::finding made = samples::circular(wedge::verdict::confirmed);
    made.signature = "cycle a/EE b/EE";
    made.best.decisions = {{wedge::decision::sort::run, 0, 0}};
    return made;
}

}  // namespace

TEST_CASE("early findings: a finding is on disk before the search ends, and is saved once") {
    const scratch_folder here;
    wedge::progress_line line(stderr, "t");
    unsigned saved = 0;
    wedge::early_findings early(line, [&](const wedge::finding& found) {
        ++saved;
        wedge::write_text("x.schedule", found.signature);
        return std::string("x.schedule");
    });
    wedge::explore_options options;
    early.add_to(options);
    options.on_progress(after(10, {samples::graded()}), options.progress_data);
    CHECK(saved == 0);  // no schedule or input that repeats the finding is known yet
    options.on_progress(after(20, {samples::graded(), with_schedule()}), options.progress_data);
    options.on_progress(after(30, {samples::graded(), with_schedule()}), options.progress_data);
    CHECK(saved == 1);
    CHECK(std::filesystem::exists("x.schedule"));

    wedge::write_text("x.finding.json", "{}");
    wedge::remove_others(early.files(), {"x.schedule"});
    CHECK(std::filesystem::exists("x.schedule"));
    wedge::remove_others(early.files(), {"y.schedule"});
    CHECK(!std::filesystem::exists("x.schedule"));
    CHECK(!std::filesystem::exists("x.finding.json"));
}

TEST_CASE("progress: the count continues through phases, and the line names the phase") {
    wedge::progress_line line(stderr, "t");
    line.begin_phase("fuzzing");
    line.count(after(100));
    CHECK(line.said(after(100)) == "fuzzing: 100 executions, no findings");
    line.begin_phase("exploring a | b");
    line.count(after(5));
    CHECK(line.said(after(5)) == "exploring a | b: 105 executions, no findings");
    line.count(after(2));  // another search within the phase
    wedge::outcome last = after(2);
    last.phase = "building deadlocks";
    CHECK(line.said(last) == "exploring a | b, building deadlocks: 107 executions, no findings");
}

}  // namespace early_findings_test
