#include "wedge/core/schedule_text.hpp"

#include <string>

#include <doctest/doctest.h>

#include "wedge/core/rng.hpp"

namespace {

wedge::decision run(std::uint32_t task) {
    return {wedge::decision::sort::run, task, 0};
}
wedge::decision choose(std::uint32_t value, std::uint32_t of) {
    return {wedge::decision::sort::choose, value, of};
}

std::string message_of(const std::string& text) {
    try {
        static_cast<void>(wedge::parse_schedule(text, "x.schedule"));
    } catch (const wedge::error& e) {
        return e.what();
    }
    return "";
}

}  // namespace

TEST_CASE("schedule: the text has a version, a head and one line per switch") {
    const wedge::schedule s{"transfer",
                            0xabc,
                            "deposit | withdraw(3)",
                            "cycle a/EE b/EE",
                            {run(0), run(0), run(1), choose(1, 3), run(1)}};
    CHECK(to_string(s) ==
          "wedge schedule 2\n"
          "workload transfer 0000000000000abc\n"
          "program deposit | withdraw(3)\n"
          "signature cycle a/EE b/EE\n"
          "run 0 x2\n"
          "run 1 x1\n"
          "choose 1 of 3\n"
          "run 1 x1\n");
    CHECK(s.switches() == 1);
}

TEST_CASE("schedule: the text has the options of the model, and the part that a livelock repeats") {
    wedge::schedule s{{}, 0, {}, {}, {run(0), run(1), run(1), run(0)}};
    s.open = {.all_policies = true, .spurious_wakeups = true};
    s.circle = 2;
    CHECK(to_string(s) ==
          "wedge schedule 2\n"
          "options all-policies spurious-wakeups\n"
          "run 0 x1\n"
          "run 1 x1\n"
          "circle\n"
          "run 1 x1\n"
          "run 0 x1\n");
    CHECK(message_of("wedge schedule 2\nrun 0 x1\ncircle\n").find("a decision after 'circle'") !=
          std::string::npos);
    CHECK(message_of("wedge schedule 2\noptions fast\n") ==
          "x.schedule:2:9: schedule: expected all-policies or spurious-wakeups, found 'fast'");
}

TEST_CASE("schedule: parsing the printed text gives an equal value") {
    wedge::rng random(3);
    for (int i = 0; i < 200; ++i) {
        wedge::schedule s;
        if (random.below(2) != 0) s.workload = "w";
        if (!s.workload.empty()) s.fingerprint = random.next();
        if (random.below(2) != 0) s.program = "a | b(2), c";
        if (random.below(2) != 0) s.signature = "deadlock condition c@x.cpp:1";
        for (std::uint32_t n = random.below(20); n > 0; --n)
            s.decisions.push_back(random.below(4) == 0 ? choose(random.below(3), 3)
                                                       : run(random.below(3)));
        s.open = {random.below(2) != 0, random.below(2) != 0};
        s.circle = random.below(static_cast<std::uint32_t>(s.decisions.size()) + 1);
        CHECK(wedge::parse_schedule(to_string(s)) == s);
    }
}

TEST_CASE("schedule: comments, empty lines and foreign line ends are ignored") {
    const wedge::schedule s =
        wedge::parse_schedule("# saved\n\nwedge schedule 1\r\n# found on a Monday\n\nrun 2 x1\r\n");
    CHECK(s.decisions == std::vector{run(2)});
}

TEST_CASE("schedule: each error names its file, line and column") {
    CHECK(message_of("") == "x.schedule:1:1: schedule: expected 'wedge', found ''");
    CHECK(message_of("\x1b[2J\x9b") == "x.schedule:1:1: schedule: expected 'wedge', found '?[2J?'");
    CHECK(message_of(std::string(1000, 'w')).size() < 200);
    CHECK(message_of("wedge schedule 7\n") ==
          "x.schedule:1:17: schedule: unknown version 7; this build reads versions 1 to 2");
    CHECK(message_of("wedge schedule 1\nrunn 0 x1\n") ==
          "x.schedule:2:1: schedule: expected workload, program, options, signature, run, choose "
          "or circle, found 'runn'");
    CHECK(message_of("wedge schedule 1\nrun x x1\n") ==
          "x.schedule:2:5: schedule: expected a task's number");
    CHECK(message_of("wedge schedule 1\nrun 1 2\n") ==
          "x.schedule:2:7: schedule: expected xN, the number of steps");
    CHECK(message_of("wedge schedule 1\nrun 99999999999 x1\n") ==
          "x.schedule:2:5: schedule: the number is too large; the maximum is 4294967295");
    CHECK(message_of("wedge schedule 1\nrun 1 x99999999999\n").find("a run of") !=
          std::string::npos);
    CHECK(message_of("wedge schedule 1\nchoose 3 of 3\n").find("not below") != std::string::npos);
    CHECK(message_of("wedge schedule 1\nrun 1 x1 y\n") ==
          "x.schedule:2:10: schedule: unexpected 'y'");
}

TEST_CASE("schedule: the parser accepts or rejects any text, and never crashes") {
    const std::string good = "wedge schedule 1\nworkload w 00ff\nrun 0 x2\nchoose 1 of 3\n";
    wedge::rng random(11);
    for (int i = 0; i < 20000; ++i) {
        std::string text = good;
        for (std::uint32_t n = 1 + random.below(4); n > 0; --n)
            text[random.below(static_cast<std::uint32_t>(text.size()))] =
                static_cast<char>(random.below(256));
        static_cast<void>(message_of(text));
    }
}
