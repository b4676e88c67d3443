#include "nightly/job.hpp"

#include <doctest/doctest.h>

#include "wedge/core/check.hpp"
#include "wedge/main/files.hpp"

#include "main/fake_program.hpp"
#include "nightly/config.hpp"

namespace nightly_job_test {
namespace {

using namespace wedge::nightly;

std::string refusal(const std::string& text) {
    const scratch_folder here;
    wedge::write_text("nightly.toml", text);
    try {
        read_config("nightly.toml", "wedge");
    } catch (const wedge::error& wrong) {
        return wrong.what();
    }
    return "accepted";
}

}  // namespace

TEST_CASE("job: progress is read from the last line of the target") {
    const fuzz_counts ours = counts_in(
        "wedge: 10 inputs, 5/s, 1 edge, 2 chains, 0 programs composed, 0 refuted, 1 finding\n#8 "
        "DONE cov: 99 ft: 3\n"
        "wedge: 20 inputs, 5/s, 3 edges, 4 chains, 0 findings\n");
    CHECK(ours.inputs == 20);
    CHECK(ours.edges == 3);
    CHECK(ours.chains == 4);
    const fuzz_counts plain =
        counts_in("#64\tNEW    cov: 12 ft: 13 corp: 2/3b\nstat::number_of_executed_units: 77\n");
    CHECK(plain.inputs == 77);
    CHECK(plain.edges == 12);
    CHECK(counts_in("").inputs == 0);
}

TEST_CASE("job: the summary of a crash contains no address and no folder") {
    const auto seen = summary_in(
        "==1==ERROR\nSUMMARY: AddressSanitizer: heap-use-after-free /home/me/x.cpp:3:4 in f\n"
        "Test unit written to ./crash-1234\nSUMMARY: libFuzzer: deadly signal\n",
        job_config{job_kind::fuzz, "f", "bin/fuzz_x", "", {}, {}});
    REQUIRE(seen);
    CHECK(seen->signature == "AddressSanitizer: heap-use-after-free x.cpp:3:4 in f");
    CHECK(seen->subject == "fuzz_x");
    CHECK(text_in(seen->all, "crash") == "./crash-1234");
    CHECK(!summary_in("SUMMARY: libFuzzer: deadly signal\n", job_config{}));
}

TEST_CASE("job: time goes to what pays, and each job gets its turn") {
    std::vector<job_state> all(3);
    CHECK(next_job(all, 1) == 0U);  // none has run yet
    for (job_state& each : all) each.slices = 1;
    all[0].last_turn = 3;
    all[1].gain = 5;
    all[1].last_turn = 2;
    all[2].last_turn = 1;
    CHECK(next_job(all, 4) == 1U);  // the most news per second
    CHECK(next_job(all, 3) == 2U);  // it has waited longest
    all[1].is_over = all[2].is_over = true;
    CHECK(next_job(all, 4) == 0U);
    all[0].is_over = true;
    CHECK(!next_job(all, 4));
}

TEST_CASE("job: the JSON of commands is read; a line that was cut is left out") {
    const auto said = read_statements(
        "noise\n{\"schema\":1,\"command\":\"check\",\"file\":\"a.wedge\",\"outcome\":\"deadlock\","
        "\"findings\":[{\"kind\":\"circular\",\"verdict\":\"refuted\",\"signature\":\"s\"},"
        "{\"kind\":\"circular\",\"verdict\":\"confirmed\",\"signature\":\"t\"}],"
        "\"expected\":[\"sound\"],\"met\":false}\n{\"schema\":1,\"comm",
        "out");
    REQUIRE(said.size() == 1);
    CHECK(findings_of(said.front()).size() == 1);
    CHECK(broken_expectation(said.front())->signature == "expectation deadlock, expected: sound");
    CHECK_THROWS_AS(read_statements("{\"schema\":2,\"command\":\"check\"}\n", "out"), wedge::error);
}

TEST_CASE("job: a progress line of one input counts") {
    const fuzz_counts one = counts_in("wedge: 1 input, 9/s, 1 edge, 1 chain, 0 findings\n");
    CHECK(one.inputs == 1);
    CHECK(one.edges == 1);
    CHECK(one.chains == 1);
}

TEST_CASE("config: each mistake has its place") {
    CHECK(refusal("seconds = 5\n") ==
          "nightly.toml: it has no [[job]], so there is nothing to run");
    CHECK(refusal("secnds = 5\n") ==
          "nightly.toml:1:10: unknown key secnds (did you mean "
          "seconds?); there is allow_list, coverage_of, database, job, jobs, "
          "minutes, out, seconds, slice");
    CHECK(refusal("[[job]]\nkind = \"fuz\"\n") ==
          "nightly.toml:2:8: kind must be one of fuzz, plain_fuzz, explore, hunt, stress, check");
    CHECK(refusal("[[job]]\nkind = \"fuzz\"\n") ==
          "nightly.toml:1:1: program is missing: the path of the program");
    CHECK(refusal("seconds = \"x\"\n") == "nightly.toml:1:11: seconds must be a number >= 1");
    CHECK(refusal("seconds = \n").starts_with("nightly.toml:1:"));
}

TEST_CASE("config: each subject is a job with a name of its own") {
    const scratch_folder here;
    wedge::write_text("nightly.toml",
                      "minutes = 2\n[[job]]\nkind = \"fuzz\"\nprogram = \"f\"\n"
                      "subjects = [\"a\", \"b\", \"a\"]\n");
    const night_config made = read_config(".", "wedge");
    CHECK(made.seconds == 120);
    REQUIRE(made.all.size() == 3);
    CHECK(made.all[0].name == "fuzz a");
    CHECK(made.all[2].name == "fuzz a-2");
}

}  // namespace nightly_job_test
