#include "nightly/database.hpp"

#include <doctest/doctest.h>

#include "wedge/core/check.hpp"
#include "wedge/main/files.hpp"

#include "main/fake_program.hpp"

namespace nightly_database_test {
namespace {

using namespace wedge::nightly;

finding_seen cycle(const std::string& signature = "cycle a/EE b/EE", bool has_schedule = true) {
    finding_seen made;
    made.command = "hunt";
    made.subject = "transfer";
    made.signature = signature;
    made.kind = "circular";
    made.what = "b -> a here, a -> b before";
    made.all = {{"schedule", has_schedule ? json("x.schedule") : json(nullptr)}};
    return made;
}

/// A night in which the finding is seen, missed by its replay, or both.
std::string one_night(database& all, bool is_seen, bool is_missed,
                      const finding_seen& what = cycle()) {
    const std::int64_t id = all.begin_night("r" + std::to_string(all.nights().size()), "t");
    if (is_seen) all.see(id, what, "prog");
    const auto known = all.findings();
    if (is_missed) all.miss(id, known.front().id);
    all.settle(id);
    all.end_night(id, "complete", 1);
    return all.findings().front().state;
}

}  // namespace

TEST_CASE("findings: new, known, fixed, reopened") {
    const scratch_folder here;
    database all("f.sqlite");
    CHECK(one_night(all, true, false) == state::fresh);
    CHECK(one_night(all, true, false) == state::known);
    CHECK(one_night(all, false, true) == state::fixed);
    CHECK(all.findings().front().fixed_revision == "r2");
    CHECK(one_night(all, false, true) == state::fixed);
    CHECK(all.findings().front().clean == 2);
    CHECK(one_night(all, true, false) == state::reopened);
    CHECK(all.findings().front().fixed_revision.empty());
    CHECK(one_night(all, true, false) == state::known);
    CHECK(all.findings().front().count == 4);
}

TEST_CASE("findings: what a search finds and the replay misses is flaky, and needs clean nights") {
    const scratch_folder here;
    database all("f.sqlite");
    one_night(all, true, false);
    CHECK(one_night(all, true, true) == state::flaky);
    CHECK(one_night(all, false, true) == state::flaky);
    unsigned nights = 1;
    while (one_night(all, false, true) == state::flaky && nights < 100) ++nights;
    CHECK(nights > 1);
    CHECK(chance_fixed(all.findings().front()) >= 0.95);
}

TEST_CASE("findings: without a replay some clean nights must pass") {
    const scratch_folder here;
    database all("f.sqlite");
    const finding_seen unsure = cycle("asan heap-use-after-free", false);
    one_night(all, true, false, unsure);
    CHECK(one_night(all, false, true, unsure) == state::known);
    CHECK(chance_fixed(all.findings().front()) > 0.5);
}

TEST_CASE("findings: a kill between two writes loses nothing") {
    const scratch_folder here;
    {
        database all("f.sqlite");
        const std::int64_t id = all.begin_night("r", "t");
        CHECK(all.see(id, cycle(), "prog"));
    }  // no settle, no end
    database all("f.sqlite");
    REQUIRE(all.findings().size() == 1);
    CHECK(all.findings().front().state == state::fresh);
    all.begin_night("r", "t");
    CHECK(all.nights().front().status == "killed");
}

TEST_CASE("findings: what a killed night has found is still new in the next night") {
    const scratch_folder here;
    database all("f.sqlite");
    all.see(all.begin_night("r", "t"), cycle("before"), "prog");
    all.end_night(1, "complete", 1);
    all.see(all.begin_night("r", "t"), cycle("in the killed night"), "prog");
    const std::int64_t third = all.begin_night("r", "t");
    CHECK(all.findings().front().state == state::known);
    CHECK(all.findings().back().state == state::fresh);
    all.see(third, cycle("in the killed night"), "prog");
    all.settle(third);
    all.end_night(third, "complete", 1);
    CHECK(all.findings().back().state == state::fresh);
    all.begin_night("r", "t");
    CHECK(all.findings().back().state == state::known);
}

TEST_CASE("findings: refuted orders and statistics are kept, also those of a shard") {
    const scratch_folder here;
    const auto said = read_statements(
        "{\"schema\":1,\"command\":\"check\",\"file\":\"a.wedge\",\"findings\":[{\"kind\":"
        "\"circular\",\"what\":\"b -> a\",\"classes\":[\"a\",\"b\"],\"verdict\":\"refuted\","
        "\"signature\":\"s\"}]}\n"
        "{\"schema\":1,\"command\":\"stress\",\"workload\":\"w\",\"calls\":7,\"findings\":[]}\n",
        "t");
    database shard("shard.sqlite");
    shard.keep(shard.begin_night("r", "t"), "job", said);
    database all("f.sqlite");
    all.take_over(all.begin_night("r", "t"), shard);
    CHECK(all.findings().empty());
    REQUIRE(all.refuted().size() == 1);
    CHECK(all.refuted().front().classes == "[\"a\",\"b\"]");
    REQUIRE(all.statistics().size() == 1);
    CHECK(json::parse(all.statistics().front())["calls"] == 7);
}

TEST_CASE("findings: a shard's database is taken over") {
    const scratch_folder here;
    database shard("shard.sqlite");
    shard.see(shard.begin_night("r", "t"), cycle("only here"), "prog", 3);
    database all("f.sqlite");
    const std::int64_t id = all.begin_night("r", "t");
    all.see(id, cycle(), "prog");
    all.take_over(id, shard);
    REQUIRE(all.findings().size() == 2);
    CHECK(all.findings().back().signature == "only here");
    CHECK(all.findings().back().count == 3);
    CHECK(all.named(all.findings().back().short_name()).size() == 1);
}

TEST_CASE("findings: another file is refused and left alone") {
    const scratch_folder here;
    wedge::write_text("text.sqlite", "this is a text, and long enough not to be an empty file\n");
    CHECK_THROWS_AS(database("text.sqlite"), wedge::error);
    { sql_file("other.sqlite").run("CREATE TABLE mine(x)"); }
    CHECK_THROWS_WITH_AS(database("other.sqlite"),
                         "other.sqlite: this is a database of another program", wedge::error);
}

}  // namespace nightly_database_test
