#include <csignal>

#include <doctest/doctest.h>

#include "wedge/lock/guard.hpp"
#include "wedge/lock/mutex.hpp"
#include "wedge/main/files.hpp"

#include "main/fake_program.hpp"
#include "main/sample_scenarios.hpp"
#include "report/sample_findings.hpp"

namespace {

/// Two accounts, locked in both orders.
struct transfer {
    wedge::mutex a{"a"}, b{"b"};
    void withdraw() {
        const wedge::guard first(a);
        const wedge::guard second(b);
    }
    void deposit() {
        const wedge::guard first(b);
        const wedge::guard second(a);
    }
    static constexpr auto actions = wedge::actions(wedge::action<&transfer::withdraw>{"withdraw"},
                                                   wedge::action<&transfer::deposit>{"deposit"});
};

/// The repaired twin.
struct ordered {
    wedge::mutex a{"a"}, b{"b"};
    void move() {
        const wedge::guard first(a);
        const wedge::guard second(b);
    }
    static constexpr auto actions = wedge::actions(wedge::action<&ordered::move>{"move"});
};

std::vector<wedge::workload_entry> entries() {
    return {wedge::entry_of<transfer>(), wedge::entry_of<ordered>()};
}

wedge::outcome deadlocked(const wedge::program&, const wedge::explore_options&) {
    wedge::outcome all;
    all.what = wedge::result::deadlock;
    all.findings = {samples::circular(wedge::verdict::confirmed)};
    return all;
}

std::string first_block(const std::string& text, std::string_view start) {
    const std::size_t from = text.find(start);
    if (from == std::string::npos) return "no block";
    return text.substr(from, text.find('\n', text.find("\nreplay: ", from) + 1) - from);
}

}  // namespace

TEST_CASE("explore: saves its finding, and the replay prints the same report and exits with 1") {
    const scratch_folder here;
    const called found = call_program(entries(), {"explore"});
    CHECK(found.status == 1);
    CHECK(found.err == "");
    CHECK(found.out.find("\nordered: move\n\nsound: no findings; ") != std::string::npos);
    const std::vector<std::string> files = here.files(".schedule");
    REQUIRE(files.size() == 1);
    CHECK(files[0].starts_with("transfer-"));
    CHECK(found.out.find("\nreplay: ./bin/bank replay " + files[0] + "\n") != std::string::npos);

    const called again = call_program(entries(), {"replay", files[0].c_str()});
    CHECK(again.status == 1);
    CHECK(first_block(again.out, "confirmed deadlock: ") ==
          first_block(found.out, "confirmed deadlock: "));
    CHECK(again.out.find("\nreproduced in ") != std::string::npos);
}

TEST_CASE("explore: two equal calls print equal bytes") {
    const scratch_folder here;
    CHECK(call_program(entries(), {"explore"}).out == call_program(entries(), {"explore"}).out);
}

TEST_CASE("explore: a sound workload exits with 0 and saves nothing") {
    const scratch_folder here;
    const called found =
        call_program(entries(), {"explore", "ordered", "--program", "move | move, move",
                                 "--strategy", "exhaustive", "--out", "new/folder"});
    CHECK(found.status == 0);
    CHECK(found.out.find("every schedule was tried: no deadlock is possible") != std::string::npos);
    CHECK(std::filesystem::is_empty("new/folder"));
}

TEST_CASE("explore: --json prints one object per workload and nothing else") {
    const scratch_folder here;
    const called found = call_program(entries(), {"explore", "--json", "--out", "saved"});
    CHECK(std::count(found.out.begin(), found.out.end(), '\n') == 2);
    CHECK(
        found.out.starts_with("{\"schema\":1,\"command\":\"explore\",\"workload\":\"transfer\","
                              "\"program\":\"withdraw | deposit\","
                              "\"outcome\":\"deadlock\",\"findings\":[{\"kind\":\"circular\""));
    CHECK(found.out.find("\"schedule\":\"saved/transfer-") != std::string::npos);
    CHECK(found.out.find("\"lock_pairs\":{\"seen\":") != std::string::npos);
}

TEST_CASE("explore: --dot and --picture each save the picture") {
    const scratch_folder here;
    const std::string plain = call_program(entries(), {"explore", "transfer", "--dot"}).out;
    CHECK(plain.find("\npicture: transfer-") != std::string::npos);
    CHECK(here.files(".dot").size() == 1);
    const std::string note = call_program(entries(), {"explore", "transfer", "--picture"}).out;
    const bool is_drawn = here.files(".svg").size() == 1;
    CHECK((note.find("(no SVG: ") == std::string::npos) == is_drawn);
}

TEST_CASE("explore: a schedule that cannot be saved does not suppress the report") {
    const scratch_folder here;
    const std::vector<wedge::workload_entry> all{
        {"transfer", {"deposit"}, {{{"deposit", 0}}}, 1, deadlocked, nullptr}};
    const std::string name =
        "transfer-" + wedge::short_hash(samples::circular({}).signature) + ".schedule";
    std::filesystem::create_directories(name + "/in the way");
    const called found = call_program(all, {"explore"});
    CHECK(found.status == 2);
    CHECK(found.out.find("confirmed deadlock: a -> b here") != std::string::npos);
    CHECK(found.out.find("\nreplay: ") == std::string::npos);
    CHECK(found.err.starts_with("bank: " + name + ": "));
}

TEST_CASE("explore: Ctrl-C ends the search, and its findings are printed and saved") {
    const scratch_folder here;
    const auto interrupted = [](const wedge::program& calls,
                                const wedge::explore_options& options) {
        REQUIRE(options.stop != nullptr);
        CHECK(!options.stop->load());
        std::raise(SIGINT);
        CHECK(options.stop->load());
        return deadlocked(calls, options);
    };
    const std::vector<wedge::workload_entry> all{
        {"transfer", {"deposit"}, {{{"deposit", 0}}}, 1, interrupted, nullptr},
        {"never", {"deposit"}, {{{"deposit", 0}}}, 1, interrupted, nullptr}};
    const called found = call_program(all, {"explore"});
    CHECK(found.status == 1);
    CHECK(found.err == "transfer: interrupted, stopped early\n");
    CHECK(found.out.find("never") == std::string::npos);
    CHECK(here.files(".schedule").size() == 1);
}

TEST_CASE("explore: Ctrl-C at the end of a search that has tried everything stops nothing early") {
    const scratch_folder here;
    const auto says = [](auto search) {
        const std::vector<wedge::workload_entry> all{
            {"transfer", {"deposit"}, {{{"deposit", 0}}}, 1, search, nullptr}};
        const called found = call_program(all, {"explore"});
        CHECK(found.status == 1);
        return found.err;
    };
    const auto ended = [](const wedge::program& calls, const wedge::explore_options& options) {
        wedge::outcome all = deadlocked(calls, options);
        all.exhausted = true;
        std::raise(SIGINT);
        return all;
    };
    const auto cut = [](const wedge::program& calls, const wedge::explore_options& options) {
        std::raise(SIGINT);
        return deadlocked(calls, options);
    };
    CHECK(says(ended) == "");
    CHECK(says(cut) == "transfer: interrupted, stopped early\n");
}

TEST_CASE("explore: Ctrl-C before any finding or proof is not a success") {
    const scratch_folder here;
    const auto unresolved = [](const wedge::program&, const wedge::explore_options&) {
        std::raise(SIGINT);
        return wedge::outcome{};
    };
    const auto proved = [](const wedge::program&, const wedge::explore_options&) {
        std::raise(SIGINT);
        wedge::outcome all;
        all.what = wedge::result::sound;
        all.exhausted = true;
        return all;
    };
    const wedge::workload_entry open{"a", {"deposit"}, {{{"deposit", 0}}}, 1, unresolved, nullptr};
    const wedge::workload_entry done{"b", {"deposit"}, {{{"deposit", 0}}}, 1, proved, nullptr};
    using workloads = std::vector<wedge::workload_entry>;
    CHECK(call_program(workloads{open}, {"explore"}).status == 130);
    CHECK(call_program(workloads{done}, {"explore"}).status == 0);  // the only proof is complete
    CHECK(call_program(workloads{done, open}, {"explore"}).status ==
          130);  // the second proof is missing
}

TEST_CASE("list: prints the program's workloads, as text and as JSON") {
    const called text = call_program(entries(), {"list"});
    CHECK(
        text.out.starts_with("workloads and designs\n  transfer\n    actions  withdraw, deposit\n"
                             "    program  withdraw | deposit\n"));
    CHECK(text.out.find("  circular             locks are taken in orders") != std::string::npos);
    const called json = call_program(entries(), {"list", "--json"});
    CHECK(json.out.find("\"meanings\":{\"circular\":\"locks are") != std::string::npos);
    CHECK(
        json.out.starts_with("{\"workloads\":[{\"name\":\"transfer\",\"actions\":[\"withdraw\","
                             "\"deposit\"],\"program\":\"withdraw | deposit\","));
}

TEST_CASE("explore: a scenario file is a target, and its schedule can be replayed") {
    const scratch_folder here;
    wedge::write_text("abba.wedge", abba_text);
    for (const std::string how : {"portfolio", "states", "exhaustive", "random"}) {
        CAPTURE(how);
        const called found = call_program(
            entries(), {"explore", "abba.wedge", "--strategy", how.c_str(), "--executions", "200"});
        CHECK(found.status == 1);
        CHECK(found.err == "");
        CHECK(found.out.starts_with("abba.wedge\n\nconfirmed deadlock: "));
        CHECK(found.out.find("waits for  b[1]        at abba.wedge:5") != std::string::npos);
        REQUIRE(here.files(".schedule").size() == 1);
        const std::string file = here.files(".schedule").front();
        const called again = call_program(entries(), {"replay", file.c_str()});
        CHECK(again.status == 1);
        CHECK(first_block(again.out, "confirmed") == first_block(found.out, "confirmed"));
    }
}

TEST_CASE("explore: a scenario's repaired twin is sound, also with several jobs") {
    const scratch_folder here;
    wedge::write_text("fine.wedge", ordered_text);
    for (const char* jobs : {"1", "2"}) {
        const called found = call_program({}, {"explore", "fine.wedge", "--jobs", jobs});
        CHECK(found.status == 0);
        CHECK(found.out.find("sound: no findings; ") != std::string::npos);
    }
    CHECK(here.files(".schedule").empty());
}

TEST_CASE("explore: with --jobs the locks of a scenario have the same names as with one job") {
    const scratch_folder here;
    wedge::write_text("abba.wedge", abba_text);
    const called found = call_program(
        {}, {"explore", "abba.wedge", "--jobs", "2", "--strategy", "random", "--executions", "50"});
    CHECK(found.status == 1);
    CHECK(found.out.find("waits for  b[1]") != std::string::npos);
}

TEST_CASE("replay: --lenient follows a scenario's schedule after the scenario has changed") {
    const scratch_folder here;
    wedge::write_text("abba.wedge", abba_text);
    REQUIRE(call_program({}, {"explore", "abba.wedge"}).status == 1);
    const std::string file = here.files(".schedule").front();
    wedge::write_text("abba.wedge", "counter K = 0\n" + std::string(abba_text));
    const called strict = call_program({}, {"replay", file.c_str()});
    CHECK(strict.status == 2);
    CHECK(strict.err == "bank: " + file +
                            ": was recorded when abba.wedge said something else; "
                            "--lenient replays what still fits\n");
    const called lenient = call_program({}, {"replay", file.c_str(), "--lenient"});
    CHECK(lenient.status == 1);
    CHECK(lenient.out.find("\nreproduced in ") != std::string::npos);
    wedge::write_text("abba.wedge", ordered_text);
    const called other = call_program({}, {"replay", file.c_str(), "--lenient"});
    CHECK(other.status == 0);
    CHECK(other.out.find("\ndiverged: at decision ") != std::string::npos);
}
