#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "wedge/main/files.hpp"

#include "main/fake_program.hpp"
#include "main/sample_scenarios.hpp"

namespace {

called check(std::initializer_list<const char*> arguments) {
    return call_program({}, arguments);
}

}  // namespace

TEST_CASE("check: a deadlock has a schedule, and the twin is sound") {
    const scratch_folder here;
    wedge::write_text("abba.wedge", std::string(abba_text) + "expect deadlock\n");
    wedge::write_text("ordered.wedge", ordered_text);
    const called found = check({"check", "abba.wedge"});
    CHECK(found.status == 0);
    CHECK(found.err == "");
    CHECK(found.out.starts_with("abba.wedge: deadlock, as expected\n\nconfirmed deadlock: "));
    CHECK(found.out.find("waits for  b[1]        at abba.wedge:5") != std::string::npos);
    CHECK(found.out.find("\n    wedge schedule 2\n    workload abba.wedge ") != std::string::npos);
    const called sound = check({"check", "ordered.wedge"});
    CHECK(sound.status == 0);
    CHECK(sound.out.starts_with("ordered.wedge: sound, as expected\n\nsound: no findings; "));
    CHECK(here.files(".schedule").empty());
}

TEST_CASE("check: --states-max bounds the search over states") {
    const scratch_folder here;
    wedge::write_text("endless.wedge", "counter k = 0\nthread t { while 1 == 1 { add k 1 } }\n");
    const called cut = check({"check", "endless.wedge", "--states-max", "100"});
    CHECK(cut.status == 1);
    CHECK(cut.out.starts_with("endless.wedge: unresolved; expected: sound\n"));
    CHECK(cut.out.find(", and may keep 100 and four times as many steps") != std::string::npos);
    wedge::write_text("short.wedge", "counter k = 0\nthread t { while k < 40 { add k 1 } }\n");
    CHECK(check({"check", "short.wedge", "--states-max", "200"}).status == 0);
    CHECK(check({"check", "short.wedge", "--states-max", "20"}).status == 1);
}

TEST_CASE("check: an expectation that is not met gives status 1, and the findings are shown") {
    const scratch_folder here;
    wedge::make_folder("all/below");
    wedge::write_text("all/b.wedge", abba_text);
    wedge::write_text("all/below/a.wedge", ordered_text);
    wedge::write_text("all/readme.txt", "no scenario");
    const called found = check({"check", "all"});
    CHECK(found.status == 1);
    CHECK(found.out.starts_with("all/b.wedge: deadlock; expected: sound\n\nconfirmed deadlock"));
    CHECK(found.out.find("\nall/below/a.wedge: sound, as expected\n") != std::string::npos);
    CHECK(found.out.ends_with("2 scenarios: 1 as expected, 1 not\n"));
}

TEST_CASE("check: --json prints one object per scenario") {
    const scratch_folder here;
    wedge::write_text("a.wedge", std::string(abba_text) + "expect deadlock\n");
    wedge::write_text("b.wedge", ordered_text);
    const called found = check({"check", "--json", "a.wedge", "b.wedge"});
    CHECK(found.status == 0);
    CHECK(std::count(found.out.begin(), found.out.end(), '\n') == 2);
    CHECK(
        found.out.starts_with("{\"schema\":1,\"command\":\"check\",\"file\":\"a.wedge\","
                              "\"outcome\":\"deadlock\",\"findings\":["
                              "{\"kind\":\"circular\",\"classes\":[\"b\",\"a\"],\"grade\":[],"
                              "\"hang\":[{\"task\":"));
    CHECK(found.out.find("}],\"verdict\":\"confirmed\",\"schedule\":\"wedge schedule 2\\n") !=
          std::string::npos);
    CHECK(found.out.find("}],\"exploration\":{\"executions\":") != std::string::npos);
    CHECK(found.out.find(",\"exhausted\":true},\"expected\":[\"deadlock\"],\"met\":true,") !=
          std::string::npos);
    CHECK(found.out.find("{\"schema\":1,\"command\":\"check\",\"file\":\"b.wedge\",\"outcome\":"
                         "\"sound\",\"findings\":[],"
                         "\"exploration\":{\"executions\":") != std::string::npos);
}

TEST_CASE(
    "check: the lock pairs of a text are counted, and one that no schedule reaches is named") {
    const scratch_folder here;
    const std::string head =
        "lock outer mutex\nlock inner mutex\ncounter ready = 0\n"
        "thread user {\n    lock outer\n    if ready == 1 {\n        lock inner\n"
        "        unlock inner\n    }\n    unlock outer\n}\n";
    wedge::write_text("reached.wedge", head + "thread other { set ready = 1 }\n");
    wedge::write_text("missed.wedge", head + "thread other { set ready = 2 }\n");
    const std::string reached = check({"check", "--json", "reached.wedge"}).out;
    CHECK(reached.find("\"lock_pairs\":{\"seen\":1,\"possible\":1,\"pairs\":[{\"held\":\"outer\","
                       "\"wanted\":\"inner\",") != std::string::npos);
    const std::string missed = check({"check", "--json", "missed.wedge"}).out;
    CHECK(missed.find("\"lock_pairs\":{\"seen\":0,\"possible\":1,\"pairs\":[{\"held\":\"outer\","
                      "\"wanted\":\"inner\",\"held_at\":\"missed.wedge:5\",\"wanted_at\":"
                      "\"missed.wedge:7\",\"seen\":false}]}") != std::string::npos);
    // The order pass alone runs nothing, so it says nothing about what is reached.
    CHECK(check({"check", "--json", "--order-only", "missed.wedge"}).out.find("lock_pairs") ==
          std::string::npos);
    for (const std::string file : {"reached.wedge", "missed.wedge"}) {
        const std::string hunted = check({"hunt", "--json", "--seconds", "20", file.c_str()}).out;
        CHECK(hunted.find(file == "reached.wedge"
                              ? "{\"seen\":1,\"possible\":1,"
                              : "{\"seen\":0,\"possible\":1,") != std::string::npos);
    }
}

TEST_CASE("check: a stated order is no lock pair of the text") {
    const scratch_folder here;
    wedge::write_text("a.wedge",
                      "lock a mutex\nlock b mutex\norder a -> b\n"
                      "thread t { lock a; unlock a; lock b; unlock b }\n");
    CHECK(check({"check", "--json", "a.wedge"}).out.find("{\"seen\":0,\"possible\":0,") !=
          std::string::npos);
}

TEST_CASE("check: --out saves schedules that replay from any directory") {
    const scratch_folder here;
    wedge::make_folder("in put");
    wedge::write_text("in put/abba.wedge", abba_text);
    const called found = check({"check", "in put/abba.wedge", "--out", "out"});
    CHECK(found.status == 1);
    const std::size_t at = found.out.find("replay: ./bin/bank replay out/abba-");
    REQUIRE(at != std::string::npos);
    const std::string file =
        found.out.substr(found.out.find("out/", at), sizeof "out/abba-12345678.schedule" - 1);
    const called again = check({"replay", file.c_str()});
    CHECK(again.status == 1);
    CHECK(again.err == "");
    CHECK(again.out.starts_with("confirmed deadlock: "));
    CHECK(again.out.find("\nreproduced in ") != std::string::npos);
    wedge::write_text("in put/abba.wedge", ordered_text);
    const called changed = check({"replay", file.c_str()});
    CHECK(changed.status == 2);
    CHECK(changed.err.find("said something else; --lenient replays") != std::string::npos);
    std::filesystem::remove("in put/abba.wedge");
    CHECK(check({"replay", file.c_str()}).err ==
          "bank: " + file +
              ": is of scenario ../in put/abba.wedge, which is neither beside it "
              "nor here\n");
}

TEST_CASE("check, hunt and explore keep the files of scenarios apart that have one name") {
    const scratch_folder here;
    for (const char* const folder : {"b", "x/a", "y/a"}) {
        wedge::make_folder(folder);
        wedge::write_text(std::string(folder) + "/abba.wedge", abba_text);
    }
    wedge::write_text("alone.wedge", abba_text);
    check({"check", "b", "x", "y/a/abba.wedge", "alone.wedge", "--out", "checked"});
    check({"hunt", "b", "x", "y", "alone.wedge", "--out", "hunted"});
    check({"explore", ".", "--out", "explored"});
    for (const char* const folder : {"checked", "hunted", "explored"}) {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            const std::string name = entry.path().filename();
            if (name.ends_with(".schedule")) names.push_back(name.substr(0, name.find('-')));
        }
        std::sort(names.begin(), names.end());
        const std::vector<std::string> expected{"alone", "b_abba", "x_a_abba", "y_a_abba"};
        CHECK_MESSAGE(names == expected, folder);
    }
}

TEST_CASE("check: misuse is one line and status 2, and the other files are still checked") {
    const scratch_folder here;
    wedge::make_folder("empty");
    wedge::write_text("typo.wedge", "lock a mutex\nthread t {\n    lok a\n}\n");
    wedge::write_text("fine.wedge", ordered_text);
    const auto err = [&](std::initializer_list<const char*> arguments) {
        const called found = check(arguments);
        CHECK(found.status == 2);
        return found.err;
    };
    const std::string typo =
        "bank: typo.wedge:3:5: found 'lok', expected a statement (did you mean 'lock'?)\n";
    CHECK(err({"check", "typo.wedge"}) == typo);
    CHECK(err({"check", "nowhere.wedge"}) == "bank: nowhere.wedge: No such file or directory\n");
    CHECK(err({"check", "empty"}) == "bank: empty: no scenario (*.wedge) in this directory\n");
    CHECK(err({"check"}) ==
          "bank: check: FILE or --trace FILE is required; see ./bin/bank check --help\n");
    CHECK(err({"check", "--ordr-only", "fine.wedge"}) ==
          "bank: check: unknown option --ordr-only (did you mean --order-only?); see ./bin/bank "
          "check --help\n");
    CHECK(err({"check", "fine.wedge", "--executions", "0"}) ==
          "bank: --executions: '0', expected an integer >= 1\n");
    CHECK(err({"check", "fine.wedge", "--states-max", "0"}) ==
          "bank: --states-max: '0', expected an integer >= 1\n");
    const called both = check({"check", "typo.wedge", "nowhere.wedge", "fine.wedge"});
    CHECK(both.status == 2);
    CHECK(both.err == typo + "bank: nowhere.wedge: No such file or directory\n");
    CHECK(both.out.starts_with("fine.wedge: sound, as expected\n"));
    CHECK(check({"check", "--json", "typo.wedge"}).out ==
          "{\"schema\":1,\"command\":\"check\",\"file\":\"typo.wedge\",\"outcome\":\"error\","
          "\"findings\":[],\"exploration\":"
          "{\"executions\":0,\"states\":null,\"exhausted\":false},\"expected\":[],"
          "\"met\":false,\"error\":\"typo.wedge:3:5: found 'lok', expected a statement (did you "
          "mean 'lock'?)\"}\n");
}

TEST_CASE("check: files of a directory that are no scenarios are ignored") {
    const scratch_folder here;
    wedge::make_folder("all/folder.wedge");
    wedge::write_text("all/fine.wedge", ordered_text);
    wedge::write_text("all/bytes.wedge", std::string_view("\x80\0\xff", 3));
    wedge::write_text("all/huge.wedge", std::string((1 << 20) + 1, 'a'));
    std::filesystem::create_symlink("nowhere", "all/link.wedge");
    std::filesystem::create_symlink("..", "all/round");
    const called found = check({"check", "all"});
    CHECK(found.status == 2);
    CHECK(found.out ==
          "all/fine.wedge: sound, as expected\n1 scenario: 1 as expected; 3 could not be read\n");
    CHECK(found.err.find("all/bytes.wedge:1:1: found '\\x80") != std::string::npos);
    CHECK(found.err.find("all/huge.wedge: larger than 1 MiB\n") != std::string::npos);
    CHECK(found.err.find("all/link.wedge: No such file or directory\n") != std::string::npos);
}

TEST_CASE("check: two equal calls print equal bytes") {
    const scratch_folder here;
    wedge::write_text("a.wedge", abba_text);
    CHECK(check({"check", "a.wedge"}).out == check({"check", "a.wedge"}).out);
}

TEST_CASE("check: --trace reads a trace, and its repaired twin is silent") {
    const scratch_folder here;
    const std::string broken =
        "wedge-trace 1\nthread 1 debit\nthread 2 credit\nlock 1 mutex accounts\n"
        "lock 2 mutex journal\nsite 1 debit (bank.c:12)\n"
        "1 acquire 1\n1 acquire 2 @1\n1 release 2\n1 release 1\n"
        "2 acquire 2\n2 acquire 1\n2 release 1\n2 release 2\n";
    wedge::write_text("broken.trace", broken);
    wedge::write_text("repaired.trace", broken.substr(0, broken.find("2 acquire 2")) +
                                            "2 acquire 1\n2 acquire 2\n2 release 2\n2 release 1\n");
    const called found = check({"check", "--trace", "broken.trace", "--out", "saved"});
    CHECK(found.status == 1);
    CHECK(found.err == "");
    CHECK(found.out.starts_with("broken.trace: finding\n\npossible deadlock: "));
    CHECK(found.out.find("taking   journal         at bank.c:12\n") != std::string::npos);
    CHECK(found.out.ends_with(
        "\n1 finding, no remarks from 2 dependencies in 8 events; nothing was explored\n\n"));
    CHECK(std::distance(std::filesystem::directory_iterator("saved"), {}) == 1);
    const called silent = check({"check", "--trace", "repaired.trace", "--json"});
    CHECK(silent.status == 0);
    CHECK(silent.out ==
          "{\"schema\":1,\"command\":\"check\",\"file\":\"repaired.trace\",\"outcome\":"
          "\"unresolved\","
          "\"findings\":[],\"exploration\":{\"executions\":0,\"states\":null,\"exhausted\":false},"
          "\"expected\":[],\"met\":true}\n");
    const called both =
        check({"check", "--trace", "broken.trace", "--trace", "repaired.trace", "--json"});
    CHECK(std::count(both.out.begin(), both.out.end(), '\n') == 2);
    CHECK(both.out.find("\"signature\":\"cycle accounts/EE journal/EE\"") != std::string::npos);
}

TEST_CASE("check: a trace that cannot be read") {
    const scratch_folder here;
    wedge::write_text("typo.trace", "wedge-trace 1\n1 aquire 1\n");
    const called typo = check({"check", "--trace", "typo.trace"});
    CHECK(typo.status == 2);
    CHECK(typo.err.starts_with("bank: typo.trace:2:3: unknown step 'aquire'; there is request, "));
    CHECK(check({"check", "--trace", "nowhere"}).err ==
          "bank: nowhere: No such file or directory\n");
    const called mixed = check({"check", "a.wedge", "--trace", "typo.trace"});
    CHECK(mixed.status == 2);
    CHECK(mixed.err == "bank: --trace: it is checked by itself, without FILE\n");
}
