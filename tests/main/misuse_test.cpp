#include <algorithm>

#include <doctest/doctest.h>

#include "wedge/main/files.hpp"
#include "wedge/main/version.hpp"

#include "main/fake_program.hpp"

namespace {

/// Workloads that are not explored. Only the command line is under test.
std::vector<wedge::workload_entry> two_workloads() {
    const auto explore = [](const wedge::program&, const wedge::explore_options&) {
        return wedge::outcome{};
    };
    const auto replay = [](const wedge::schedule&, wedge::replay_mode,
                           const wedge::explore_options&) { return wedge::outcome{}; };
    return {{"transfer", {"deposit", "withdraw"}, {{{"deposit", 0}}}, 17, explore, replay},
            {"eviction", {"fault"}, {{{"fault", 0}}}, 18, explore, replay}};
}

struct bad_line {
    std::initializer_list<const char*> arguments;
    const char* message;
};

/// Returns whether the help of an option states its default twice. An option's text may go on in
/// the next lines, up to the next option.
bool has_two_defaults(const std::string& help) {
    for (std::size_t at = 0; (at = help.find("(default", at)) != std::string::npos;) {
        const std::size_t next = help.find("(default", ++at);
        if (next == std::string::npos) return false;
        if (help.substr(at, next - at).find("\n  -") == std::string::npos) return true;
    }
    return false;
}

}  // namespace

TEST_CASE("misuse: status 2, no output on stdout, and one line that names the wrong word") {
    const scratch_folder here;
    wedge::make_folder("folder");
    wedge::write_text("bad.schedule", "wedge schedule 1\nrun zero x1\n");
    wedge::write_text("old.schedule", "wedge schedule 7\n");
    wedge::write_text("none.schedule", "wedge schedule 1\nrun 0 x1\n");
    wedge::write_text("other.schedule", "wedge schedule 1\nworkload transfr 11\nprogram deposit\n");
    wedge::write_text("changed.schedule",
                      "wedge schedule 1\nworkload transfer 1f\nprogram deposit\n");
    const bad_line lines[] = {
        {{},
         "bank: a command is missing (hunt, explore, replay, check, verify, minimize, fmt, graph, "
         "fuzz, stress, list); see ./bin/bank --help"},
        {{"explor"},
         "bank: unknown command 'explor' (did you mean explore?); there is hunt, "
         "explore, replay, check, verify, minimize, fmt, graph, fuzz, stress, list; see ./bin/bank "
         "--help"},
        {{"--foo"}, "bank: unknown option --foo; see ./bin/bank --help"},
        {{"explore", "--sed", "3"},
         "bank: explore: unknown option --sed (did you mean --seed?); "
         "see ./bin/bank explore --help"},
        {{"explore", "--seed"},
         "bank: explore: --seed: a value is missing; see ./bin/bank explore --help"},
        {{"explore", "--seed", "x"}, "bank: --seed: 'x', expected an integer >= 0"},
        {{"explore", "--seed", "-1"}, "bank: --seed: '-1', expected an integer >= 0"},
        {{"explore", "--executions", "0"}, "bank: --executions: '0', expected an integer >= 1"},
        {{"explore", "--steps", "99999999999999999999"},
         "bank: --steps: 99999999999999999999 is too large"},
        {{"explore", "--strategy", "exhaustiv"},
         "bank: --strategy: there is no 'exhaustiv' (did you mean exhaustive?); there is "
         "portfolio, random, pct, pos, urw, surw, round-robin, exhaustive, states"},
        {{"explore", "tranfer"},
         "bank: TARGET: there is no workload or file 'tranfer' (did you "
         "mean transfer?); there is transfer, eviction"},
        {{"explore", "nowhere.wedge"}, "bank: nowhere.wedge: No such file or directory"},
        {{"explore", "transfer", "eviction"},
         "bank: explore: unexpected argument 'eviction'; see ./bin/bank explore --help"},
        {{"explore", "--program", "deposit"},
         "bank: --program: say for which workload (transfer, eviction); a scenario has its own"},
        {{"graph", "a.wedge", "-o", "a.jpg"},
         "bank: --out: a.jpg: a picture ends in .svg, .png, .pdf or .dot"},
        {{"minimize", "folder"}, "bank: folder: is a directory, expected a file"},
        {{"fmt", "--check", "--in-place", "a.wedge"},
         "bank: fmt: --in-place excludes --check; see ./bin/bank fmt --help"},
        {{"explore", "transfer", "--program", "deposit |"},
         "bank: --program:10: expected the name of an action, found the end"},
        {{"explore", "transfer", "--program", "deposti"},
         "bank: --program: action: there is no 'deposti' (did you mean deposit?); there is "
         "deposit, withdraw"},
        {{"explore", "--out", "bad.schedule"}, "bank: bad.schedule: "},
        {{"replay"}, "bank: replay: FILE is required; see ./bin/bank replay --help"},
        {{"replay", "nowhere"}, "bank: nowhere: No such file or directory"},
        {{"replay", "folder"}, "bank: folder: is a directory, expected a file"},
        {{"replay", "bad.schedule"}, "bank: bad.schedule:2:5: schedule: expected a task's number"},
        {{"replay", "old.schedule"}, "bank: old.schedule:1:"},
        {{"replay", "none.schedule"}, "bank: none.schedule: is of no workload; "},
        {{"replay", "other.schedule"},
         "bank: other.schedule: is of workload transfr (did you mean transfer?); this program has "
         "transfer, eviction; the program that found a schedule replays it"},
        {{"replay", "changed.schedule"},
         "bank: changed.schedule: was recorded when workload transfer had other actions "
         "(fingerprint 000000000000001f, now 0000000000000011); --lenient replays what still "
         "fits"},
        {{"list", "extra"}, "bank: list: unexpected argument 'extra'; see ./bin/bank list --help"},
    };
    const std::vector<wedge::workload_entry> workloads = two_workloads();
    for (const bad_line& line : lines) {
        const called result = call_program(workloads, line.arguments);
        CAPTURE(line.message);
        CHECK(result.status == 2);
        CHECK(result.out == "");
        CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
        CHECK_MESSAGE(result.err.starts_with(line.message), result.err);
    }
}

TEST_CASE("misuse: a program without workloads names the programs that have some") {
    const scratch_folder here;
    wedge::write_text("a.schedule", "wedge schedule 1\nworkload transfer 11\nprogram deposit\n");
    CHECK(call_program({}, {"explore"}).err ==
          "bank: TARGET: name a scenario; this program has no workload, one built with "
          "WEDGE_MAIN(workload...) has\n");
    CHECK(call_program({}, {"replay", "a.schedule"}).err ==
          "bank: a.schedule: is of workload transfer, this program has none; the program that "
          "found a schedule replays it\n");
    CHECK(call_program({}, {"replay", "a.schedule"}).status == 2);
    CHECK(call_program({}, {"list"}).status == 0);
}

TEST_CASE("misuse: --help and --version are not misuse") {
    for (const char* command : {"hunt", "explore", "replay", "check", "verify", "minimize", "fmt",
                                "graph", "fuzz", "stress", "list"}) {
        const called help = call_program({}, {command, "--help"});
        CHECK(help.status == 0);
        CHECK(help.err == "");
        CHECK(help.out.find(std::string("Usage: bank ") + command) != std::string::npos);
        CHECK_MESSAGE(!has_two_defaults(help.out), help.out);
    }
    CHECK(call_program({}, {"--help"}).out.find("Exit status: 0 clean") != std::string::npos);
    CHECK(call_program({}, {"--help"}).out.find("NO_COLOR") != std::string::npos);
    const std::string version = call_program({}, {"--version"}).out;
    CHECK(version.starts_with(std::string("wedge ") + wedge::version + "\nbuilt by "));
    CHECK(version.ends_with("\n"));
}

TEST_CASE("version: the headers and the project agree") {
    const std::string project = wedge::read_text(std::string(TESTS_DIR) + "/../CMakeLists.txt");
    CHECK(project.find(std::string("project(wedge VERSION ") + wedge::version + " ") !=
          std::string::npos);
}
