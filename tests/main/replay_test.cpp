#include <doctest/doctest.h>

#include "wedge/core/schedule_text.hpp"
#include "wedge/main/files.hpp"

#include "main/fake_program.hpp"
#include "report/sample_findings.hpp"

namespace {

wedge::outcome clean(const wedge::schedule&, wedge::replay_mode, const wedge::explore_options&) {
    return {};
}
wedge::outcome astray(const wedge::schedule&, wedge::replay_mode, const wedge::explore_options&) {
    wedge::outcome all;
    all.diverged = "at decision 2 of 5: task 1 cannot go on there";
    return all;
}
/// The order is still inverted, but no task hangs.
wedge::outcome only_inverted(const wedge::schedule&, wedge::replay_mode,
                             const wedge::explore_options&) {
    wedge::outcome all;
    all.what = wedge::result::finding;
    all.findings = {samples::circular(wedge::verdict::unresolved)};
    return all;
}

/// Inverts another order before the deadlock, and makes a mistake after it.
wedge::outcome among_others(const wedge::schedule&, wedge::replay_mode,
                            const wedge::explore_options&) {
    wedge::outcome all;
    all.what = wedge::result::deadlock;
    wedge::finding other = samples::graded();
    other.signature = "cycle other";
    all.findings = {other, samples::unlock_imbalance(),
                    samples::circular(wedge::verdict::confirmed)};
    return all;
}
wedge::outcome others_alone(const wedge::schedule&, wedge::replay_mode,
                            const wedge::explore_options&) {
    wedge::outcome all;
    all.what = wedge::result::finding;
    all.findings = {samples::graded()};
    all.findings[0].signature = "cycle other";
    return all;
}

std::vector<wedge::workload_entry> program_with(decltype(&clean) replay) {
    return {{"transfer", {"deposit"}, {{{"deposit", 0}}}, 17, nullptr, replay}};
}

void write_schedule(std::uint64_t fingerprint) {
    wedge::finding found = samples::circular(wedge::verdict::confirmed);
    found.best.fingerprint = fingerprint;
    found.best.signature = found.signature;
    wedge::write_text("a.schedule", to_string(found.best));
}

}  // namespace

TEST_CASE("replay: without a finding the status is 0") {
    const scratch_folder here;
    write_schedule(17);
    const called result = call_program(program_with(clean), {"replay", "a.schedule"});
    CHECK(result.status == 0);
    CHECK(result.out == "not reproduced in no steps\n");
}

TEST_CASE("replay: an inverted order that did not hang does not reproduce the deadlock") {
    const scratch_folder here;
    write_schedule(17);
    const called result = call_program(program_with(only_inverted), {"replay", "a.schedule"});
    CHECK(result.status == 1);
    CHECK(result.out ==
          "also in this execution, not judged: possible deadlock: a -> b here, b -> a before\n"
          "not reproduced in no steps, but see above\n");
}

TEST_CASE("replay: a schedule that does not fit is an error, with --lenient a note") {
    const scratch_folder here;
    write_schedule(17);
    const called strict = call_program(program_with(astray), {"replay", "a.schedule"});
    CHECK(strict.status == 2);
    CHECK(strict.err ==
          "bank: a.schedule: the program does not follow the schedule any more: at "
          "decision 2 of 5: task 1 cannot go on there; --lenient skips what does "
          "not fit\n");
    const called lenient =
        call_program(program_with(astray), {"replay", "a.schedule", "--lenient"});
    CHECK(lenient.status == 0);
    CHECK(lenient.out ==
          "not reproduced in no steps\n"
          "diverged: at decision 2 of 5: task 1 cannot go on there\n");
}

TEST_CASE("replay: --lenient accepts a schedule of other actions") {
    const scratch_folder here;
    write_schedule(4);
    CHECK(call_program(program_with(clean), {"replay", "a.schedule"}).status == 2);
    CHECK(call_program(program_with(clean), {"replay", "a.schedule", "--lenient"}).status == 0);
}

TEST_CASE("replay: --json prints one object") {
    const scratch_folder here;
    write_schedule(17);
    const called result = call_program(program_with(clean), {"replay", "a.schedule", "--json"});
    CHECK(result.out.starts_with("{\"schema\":1,\"command\":\"replay\",\"workload\":\"transfer\""));
    CHECK(result.out.ends_with("\"reproduced\":false,\"diverged\":null}\n"));
}

TEST_CASE(
    "replay: the finding of the schedule comes first, others are one line without a verdict") {
    const scratch_folder here;
    write_schedule(17);
    const called result = call_program(program_with(among_others), {"replay", "a.schedule"});
    CHECK(result.status == 1);
    CHECK(result.out.starts_with("confirmed deadlock: a -> b here, b -> a before\n"));
    CHECK(result.out.find("unresolved") == std::string::npos);
    CHECK(
        result.out.find("\nalso in this execution, not judged: possible deadlock: mmap_lock -> ") !=
        std::string::npos);
    CHECK(result.out.find("\nalso in this execution: unlock imbalance: b is released") !=
          std::string::npos);
    CHECK(result.out.ends_with("\nreproduced in no steps\n"));
    const called json =
        call_program(program_with(among_others), {"replay", "a.schedule", "--json"});
    CHECK(json.out.find("\"findings\":[{\"kind\":\"circular\",\"what\":\"a -> b here") !=
          std::string::npos);
    CHECK(json.out.find("\"verdict\":null") != std::string::npos);
    CHECK(json.out.find("unresolved\",\"reason") == std::string::npos);
}

TEST_CASE("replay: an inverted order of other locks is not the schedule's finding") {
    const scratch_folder here;
    write_schedule(17);
    CHECK(call_program(program_with(others_alone), {"replay", "a.schedule"}).status == 0);
}
