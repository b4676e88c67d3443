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

namespace {

/// Returns what a run says about a subject. A pair is written `a>b`, one that was not seen `-a>b`.
std::vector<statement> run_of(const std::string& key, const std::string& subject, bool is_text,
                              const std::vector<std::string>& pairs) {
    json list = json::array();
    for (const std::string& each : pairs) {
        const bool is_seen = !each.starts_with("-");
        const std::string name = is_seen ? each : each.substr(1);
        const std::size_t at = name.find('>');
        list.push_back({{"held", name.substr(0, at)},
                        {"wanted", name.substr(at + 1)},
                        {"held_at", "f:1"},
                        {"wanted_at", "f:2"},
                        {"seen", is_seen}});
    }
    const json said = {{"schema", 1},
                       {"command", "check"},
                       {key, subject},
                       {"exploration", {{"executions", 1}, {"exhausted", is_text}}},
                       {"lock_pairs",
                        {{"seen", 0},
                         {"possible", is_text ? json(pairs.size()) : json(nullptr)},
                         {"pairs", std::move(list)}}}};
    return read_statements(said.dump(), "t");
}

/// Returns `seen of possible`, and each pair that was not seen with the night that last saw it.
std::string text_of(const lock_pairs& of) {
    std::size_t seen = 0;
    std::string missed;
    for (const lock_pair& each : of.all) {
        seen += each.is_seen ? 1 : 0;
        if (!each.is_seen)
            missed += " " + each.held + ">" + each.wanted + "@" + std::to_string(each.last_seen);
    }
    return std::to_string(seen) + " of " + std::to_string(of.all.size()) + missed;
}

}  // namespace

TEST_CASE("reach: of a workload, the pairs that earlier nights have seen are missed") {
    const scratch_folder here;
    database all("f.sqlite");
    const std::int64_t first = all.begin_night("r", "t");
    all.keep(first, "job", run_of("workload", "w", false, {"a>b"}));
    all.keep(first, "job", run_of("workload", "w", false, {"b>c"}));  // another slice
    REQUIRE(all.reach(first).size() == 1);
    CHECK(text_of(all.reach(first).front()) == "2 of 2");
    const std::int64_t second = all.begin_night("r", "t");
    CHECK(all.reach(second).empty());
    all.keep(second, "job", run_of("workload", "w", false, {"a>b"}));
    REQUIRE(all.reach(second).size() == 1);
    CHECK(text_of(all.reach(second).front()) == "1 of 2 b>c@1");
    const std::int64_t third = all.begin_night("r", "t");
    all.keep(third, "job", run_of("workload", "w", false, {}));  // it ran, and took no two locks
    REQUIRE(all.reach(third).size() == 1);
    CHECK(text_of(all.reach(third).front()) == "0 of 2 a>b@2 b>c@1");
}

TEST_CASE("reach: of a scenario, the pairs of its text are possible, and old texts are forgotten") {
    const scratch_folder here;
    database all("f.sqlite");
    const std::int64_t first = all.begin_night("r", "t");
    all.keep(first, "job", run_of("file", "a.wedge", true, {"a>b", "-b>c"}));
    CHECK(text_of(all.reach(first).front()) == "1 of 2 b>c@0");
    CHECK(all.reach(first).front().is_exhausted);
    const std::int64_t second = all.begin_night("r", "t");
    all.keep(second, "job", run_of("file", "a.wedge", true, {"a>b", "c>d"}));
    CHECK(text_of(all.reach(second).front()) == "2 of 2");
}

TEST_CASE("reach: what the shards have reached together is taken over") {
    const scratch_folder here;
    database all("f.sqlite");
    const std::int64_t id = all.begin_night("r", "t");
    for (const std::string each : {"a>b", "b>c"}) {
        database shard("shard" + each + ".sqlite");
        shard.keep(shard.begin_night("r", "t"), "job", run_of("workload", "w", false, {each}));
        shard.keep(shard.begin_night("r", "t"), "job", run_of("file", "a.wedge", true, {"-x>y"}));
        all.take_over(id, shard);
    }
    REQUIRE(all.reach(id).size() == 2);
    CHECK(text_of(all.reach(id).front()) == "0 of 1 x>y@0");
    CHECK(all.reach(id).front().is_exhausted);
    CHECK(text_of(all.reach(id).back()) == "2 of 2");
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
