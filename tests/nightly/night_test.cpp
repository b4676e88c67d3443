#include "nightly/night.hpp"

#include <csignal>
#include <cstdio>
#include <filesystem>

#include <doctest/doctest.h>

#include "wedge/core/check.hpp"
#include "wedge/main/files.hpp"

#include "main/fake_program.hpp"
#include "report/formats.hpp"

namespace nightly_night_test {
namespace {

using namespace wedge::nightly;
namespace fs = std::filesystem;

/// Writes a program that stands for a fuzz target.
void write_program(const std::string& name, const std::string& body) {
    wedge::write_text(name, "#!/bin/sh\n" + body);
    fs::permissions(name, fs::perms::owner_all);
}

/// A program that shows a finding, and replays it, as long as the file `bug` is there. It has tried
/// everything each time, so a night ends when it has run.
constexpr const char* program_with_bug = R"(
found=
[ -f bug ] && found='{"kind":"circular","what":"a","verdict":"confirmed","signature":"cycle a/EE b/EE","schedule":"w.schedule"}'
echo '{"schema":1,"command":"explore","workload":"w","outcome":"x","findings":['"$found"'],"exploration":{"executions":1,"exhausted":true}}'
touch w.schedule
)";

night_config config_of(const std::string& program, job_kind kind = job_kind::explore) {
    night_config made;
    made.folder = fs::current_path().string();
    made.seconds = 100;  // no night here needs them
    made.slice = 1;
    made.jobs = 1;
    job_config job;
    job.kind = kind;
    job.name = "w";
    job.subject = "w";
    job.program = "./" + program;
    made.all.push_back(job);
    return made;
}

struct ran {
    night_result how;
    std::string out;
};
ran run(night_config config) {
    std::FILE* const out = std::tmpfile();
    std::FILE* const err = std::tmpfile();
    ran made;
    made.how = night(std::move(config), "wedge", out, err).run();
    std::rewind(out);
    char block[4096];
    made.out.assign(block, std::fread(block, 1, sizeof block, out));
    std::fclose(out);
    std::fclose(err);
    return made;
}

}  // namespace

TEST_CASE("night: a bug is new, then known, then fixed, and news alone counts") {
    const scratch_folder here;
    write_program("target", program_with_bug);
    CHECK(run(config_of("target")).how.news.empty());
    wedge::write_text("bug", "");
    const ran second = run(config_of("target"));
    REQUIRE(second.how.news.size() == 1);
    CHECK(second.how.news.front().state == state::fresh);
    CHECK(run(config_of("target")).how.news.empty());
    fs::remove("bug");
    const ran fourth = run(config_of("target"));
    CHECK(fourth.how.news.empty());
    CHECK(fourth.out.find("fixed") != std::string::npos);
    CHECK(fourth.out.find("clean for 1 night; at this bug's past rate, P(fixed) = 0.") !=
          std::string::npos);
    wedge::write_text("bug", "");
    const ran fifth = run(config_of("target"));
    REQUIRE(fifth.how.news.size() == 1);
    CHECK(fifth.how.news.front().state == state::reopened);
}

TEST_CASE("night: an allowed finding is no news until its entry expires") {
    const scratch_folder here;
    write_program("target", program_with_bug);
    wedge::write_text("bug", "");
    wedge::write_text("allowed.txt",
                      "signature: cycle a/EE b/EE\nreason: r\nowner: o\n"
                      "expires: 9999-01-01\n");
    night_config config = config_of("target");
    config.allow_list = "allowed.txt";
    for (int nights = 0; nights < 2; ++nights) {
        const ran night = run(config);
        CHECK(night.how.news.empty());
        CHECK(night.out.find("matched no finding") == std::string::npos);
        const auto shown = wedge::report_files::read_runs({config.out});
        CHECK(wedge::report_files::junit_of(shown).find("<skipped message=\"new, allowed\"/>") !=
              std::string::npos);
    }
    wedge::write_text("allowed.txt",
                      "signature: cycle a/EE b/EE\nreason: r\nowner: o\n"
                      "expires: 2020-01-01\n");
    CHECK(run(config).how.news.size() == 1);
    CHECK(run(config).how.news.empty());
}

TEST_CASE("night: a program that ends at once without a result is no clean job") {
    const scratch_folder here;
    for (const char* const status : {"0", "1", "77"}) {
        write_program("target", std::string("exit ") + status + "\n");
        for (const job_kind kind : {job_kind::fuzz, job_kind::plain_fuzz, job_kind::hunt}) {
            const ran all = run(config_of("target", kind));
            CHECK(all.how.has_dead_jobs);
            CHECK(all.out.find(std::string("given up: exit status ") + status +
                               ", without a result") != std::string::npos);
        }
    }
}

TEST_CASE("night: a program of another version costs its job, and not the night") {
    const scratch_folder here;
    write_program("target", "echo '{\"schema\":99,\"command\":\"check\"}'\n");
    wedge::make_folder("out/findings");
    wedge::write_text("out/findings/old.finding.json", "{\"schema\":99,\"command\":\"check\"}\n");
    const ran all = run(config_of("target", job_kind::check));
    CHECK(all.how.has_dead_jobs);
    CHECK(all.out.find("its JSON has schema 99") != std::string::npos);
}

TEST_CASE("night: a check that the end of the night cuts is not passed") {
    const scratch_folder here;
    write_program("target",
                  "trap 'echo \"wedge: stopped early: 3 scenarios not checked\"; exit 130' TERM\n"
                  "sleep 60 &\nwait\n");
    night_config config = config_of("target", job_kind::check);
    config.seconds = 3;
    job_config second = config.all.front();
    second.name = "second";
    config.all.push_back(second);
    const ran all = run(config);
    CHECK(all.out.find("w: not finished: wedge: stopped early: 3 scenarios not checked\n") !=
          std::string::npos);
    CHECK(all.out.find("1 job not run: the night was too short\n") != std::string::npos);
    const std::string junit =
        wedge::report_files::junit_of(wedge::report_files::read_runs({config.out}));
    CHECK(junit.find("skipped=\"2\"") != std::string::npos);
    // The next night begins with the other job.
    CHECK(run(config).out.find("second: not finished: ") != std::string::npos);
}

TEST_CASE("night: what shards have seen is not lost with the process that has started them") {
    const scratch_folder here;
    write_program("target", program_with_bug);
    const night_config config = config_of("target");
    wedge::make_folder(config.out + "/shards/1/0");
    wedge::nightly::database(config.out + "/findings.sqlite").begin_night("r", "b");
    {
        wedge::nightly::database shard(config.out + "/shards/1/0/findings.sqlite");
        wedge::nightly::finding_seen seen;
        seen.subject = "other";
        seen.signature = "cycle c/EE d/EE";
        seen.all = {{"kind", "circular"}};
        shard.see(shard.begin_night("r", "b"), seen, "p");
    }
    const ran next = run(config);
    REQUIRE(next.how.news.size() == 1);
    CHECK(next.how.news.front().signature == "cycle c/EE d/EE");
    CHECK(run(config).how.news.empty());
}

TEST_CASE("night: a target that dies is started again, and given up after five deaths") {
    const scratch_folder here;
    write_program("target", "echo started >>starts\nkill -KILL $$\n");
    const ran all = run(config_of("target", job_kind::fuzz));
    CHECK(all.how.has_dead_jobs);
    CHECK(all.out.find("died 5 times: given up: killed by signal 9") != std::string::npos);
    CHECK(wedge::read_text("starts") == "started\nstarted\nstarted\nstarted\nstarted\n");
}

TEST_CASE("night: a target that cannot run is named") {
    const scratch_folder here;
    const ran all = run(config_of("nowhere"));
    CHECK(all.out.find("w died 1 time: ") != std::string::npos);
    CHECK(!all.how.has_unread);
    CHECK(all.out.find("cannot be started: No such file") != std::string::npos);
}

TEST_CASE("night: a scenario that cannot be read is no finding, and the others are checked") {
    const scratch_folder here;
    write_program(
        "target",
        "echo '{\"schema\":1,\"command\":\"check\",\"file\":\"b.wedge\",\"outcome\":\"error\","
        "\"findings\":[],\"expected\":[],\"met\":false,\"error\":\"b.wedge:2:1: unknown\"}'\n"
        "echo '{\"schema\":1,\"command\":\"check\",\"file\":\"a.wedge\",\"outcome\":\"sound\","
        "\"findings\":[],\"expected\":[\"sound\"],\"met\":true}'\nexit 2\n");
    const ran all = run(config_of("target", job_kind::check));
    CHECK(all.how.has_unread);
    CHECK(all.how.news.empty());
    CHECK(!all.how.has_dead_jobs);
    CHECK(all.out.find("  cannot be read: b.wedge:2:1: unknown\n") != std::string::npos);
    CHECK(all.out.find("  1 result as stated\n") != std::string::npos);
}

TEST_CASE("night: a program that refuses to run is quoted") {
    const scratch_folder here;
    write_program("target", "echo 'target: --foo: unknown option' >&2\nexit 2\n");
    const ran all = run(config_of("target"));
    CHECK(all.how.has_dead_jobs);
    CHECK(all.out.find("w died 1 time: cannot run: target: --foo: unknown option\n") !=
          std::string::npos);
}

TEST_CASE("night: what a killed night has saved is noted by the next one") {
    const scratch_folder here;
    write_program("target", program_with_bug);
    fs::create_directories("nightly/findings");
    wedge::write_text("nightly/findings/w.finding.json",
                      "{\"schema\":1,\"command\":\"fuzz\",\"workload\":\"w\",\"findings\":[{"
                      "\"kind\":\"circular\",\"verdict\":\"confirmed\",\"signature\":\"s\"}]}\n");
    CHECK(run(config_of("target")).how.news.size() == 1);
}

TEST_CASE("night: an interrupt ends the jobs and the night, with the summary") {
    const scratch_folder here;
    write_program("target", "kill -TERM $PPID\nexec sleep 100\n");
    const ran all = run(config_of("target"));
    CHECK(all.how.is_interrupted);
    CHECK(all.out.starts_with("night 1: interrupted after "));
}

TEST_CASE("night: the progress of shards is read from their output") {
    const wedge::nightly::progress_counts of = wedge::nightly::progress_in(
        "night 1, searching: 10 of 60 s, 7 inputs, 0 executions, 0 findings; fuzz a\n"
        "night 1, searching: 20 of 60 s, 12 inputs, 1 execution, 3 findings; fuzz a\n"
        "found: b: cycle c/EE d/EE\nnight 1: 58 s, 5 jobs; 0 new, 4 expected\n");
    CHECK(of.inputs == 12);
    CHECK(of.executions == 1);
    CHECK(of.findings == 3);
    CHECK(wedge::nightly::progress_in("wedge: CONFIG: wrong\n").inputs == 0);
    CHECK(wedge::nightly::progress_in("").findings == 0);
}

TEST_CASE("night: the finding of a scenario that was removed is fixed") {
    const scratch_folder here;
    write_program("target", program_with_bug);
    const std::string scenario = fs::absolute("gone.wedge").string();
    wedge::write_text(scenario, "");
    {
        const night_config config = config_of("target");
        wedge::make_folder(config.out);
        wedge::nightly::database all(config.out + "/findings.sqlite");
        wedge::nightly::finding_seen seen;
        seen.subject = scenario;
        seen.signature = "cycle a/EE b/EE";
        seen.all = {{"kind", "circular"}, {"schedule", "w.schedule"}};
        const std::int64_t night = all.begin_night("r", "b");
        all.see(night, seen, "p");
        all.settle(night);
        all.end_night(night, "complete", 1);
    }
    CHECK(run(config_of("target")).out.find(", 0 fixed") != std::string::npos);
    fs::remove(scenario);
    CHECK(run(config_of("target")).out.find(", 1 fixed") != std::string::npos);
}

TEST_CASE("night: jobs of equal names keep their findings apart") {
    const scratch_folder here;
    write_program("target",
                  "while [ $# -gt 0 ]; do [ \"$1\" = --out ] && out=$2; shift; done\n"
                  "echo run >>\"$out/w.schedule\"\n"
                  "echo '{\"schema\":1,\"command\":\"check\",\"file\":\"a\",\"outcome\":\"sound\","
                  "\"findings\":[],\"expected\":[\"sound\"],\"met\":true}'\n");
    night_config config = config_of("target", job_kind::check);
    job_config second = config.all.front();
    second.name = "w (2)";
    config.all.push_back(second);
    CHECK(run(config).how.news.empty());
    std::size_t files = 0;
    for (const auto& each : fs::recursive_directory_iterator(config.out + "/findings"))
        if (each.path().filename() == "w.schedule") {
            ++files;
            CHECK(wedge::read_text(each.path().string()) == "run\n");
        }
    CHECK(files == 2);
}

}  // namespace nightly_night_test
