// Findings of wedge itself, recorded by samples/record.sh: the order checker's text, that of
// `check` and `explore`, and the lines of `--json`.
#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "reading.hpp"

namespace {

using reading::core_of;
using reading::dressed;
using reading::joined;
using reading::reports;
using reading::split;
using wedge::explain::acquire_mode;
using wedge::explain::report;

/// A recorded finding and what it says, the first one of its file.
struct wedge_sample {
    const char* file;  ///< without `wedge_` and `.txt`
    const char* kind;  ///< empty: the log is of a repaired program
    const char* cycle;
    const char* task;
    bool complete;
};

constexpr wedge_sample wedge_samples[] = {
    {"live_abba", "circular", "accounts, journal", "thread 2", true},
    {"live_three", "circular", "accounts, journal, pages", "thread 3", true},
    {"live_shared", "circular", "table, accounts", "thread 2", true},
    {"live_repaired", "", "", "", true},
    {"explore_transfer", "circular", "savings, checking", "deposit", true},
    {"explore_json_transfer", "circular", "savings, checking", "deposit", true},
    {"explore_transfer_in_order", "", "", "", true},
    {"explore_json_transfer_in_order", "", "", "", true},
    {"check_abba", "circular", "a, b", "backward", true},
    {"json_abba", "circular", "a, b", "backward", true},
    {"check_abba_ordered", "", "", "", true},
    {"json_abba_ordered", "", "", "", true},
    {"check_three_ring", "circular", "a, b, c", "third", true},
    {"json_three_ring", "circular", "a, b, c", "third", true},
    {"check_philosophers", "circular", "fork[1], fork[2], fork[0]", "philosopher", true},
    {"json_philosophers", "circular", "fork[1], fork[2], fork[0]", "philosopher", true},
    {"check_self_deadlock", "recursive", "a", "alone", true},
    {"json_self_deadlock", "recursive", "a", "alone", true},
    {"check_gate_lock", "circular", "a, b", "backward", true},
    {"json_gate_lock", "circular", "a, b", "backward", true},
    {"check_join_under_lock", "circular", "a, the end of worker", "worker", true},
    {"json_join_under_lock", "circular", "a, the end of worker", "worker", true},
    {"check_readers_with_writers", "circular", "a, b", "backward", true},
    {"json_readers_with_writers", "circular", "a, b", "backward", true},
    {"check_irq_unsafe_lock", "inconsistent", "ring", "submit", true},
    {"json_irq_unsafe_lock", "inconsistent", "ring", "submit", true},
    {"check_irq_inversion", "irq-inversion", "ring, list", "scan", true},
    {"json_irq_inversion", "irq-inversion", "ring, list", "submit", true},
    {"check_lost_wakeup", "hung", "", "consumer", true},
    {"json_lost_wakeup", "hung", "", "consumer", true},
    {"check_nest_not_held", "nested", "member", "one", true},
    {"json_nest_not_held", "nested", "member", "", false},
    {"check_ordered_falling", "recursive", "page", "falling", true},
    {"json_ordered_falling", "recursive", "page", "", false},
    {"check_reclaim_under_lock", "circular", "lru, reclaim", "drop_caches", true},
    {"check_might_lock", "circular", "a, b", "other", true},
    {"check_timed_breaks_cycle", "circular", "a, b", "backward", true},
    {"check_unlock_imbalance", "bad-unlock", "a", "worker", true},
    {"json_unlock_imbalance", "bad-unlock", "a", "", false},
};

std::string text_of(const wedge_sample& sample) {
    return reading::file(std::string("wedge_") + sample.file + ".txt");
}

/// Breaks each line that is longer than a mail allows, at a space.
std::string wrapped(const std::string& text, std::size_t width) {
    std::string made;
    for (std::string each : split(text, '\n')) {
        while (each.size() > width) {
            const std::size_t at = each.rfind(' ', width);
            if (at == std::string::npos || each.find_first_not_of(' ') >= at) break;
            made += each.substr(0, at) + "\n";
            each.erase(0, at + 1);
        }
        made += each + "\n";
    }
    made.pop_back();
    return made;
}

TEST_CASE("a recorded finding says what was planted, and a repaired twin nothing") {
    for (const wedge_sample& sample : wedge_samples) {
        CAPTURE(sample.file);
        const std::string text = text_of(sample);
        const std::vector<report> found = reports(text);
        REQUIRE(found.empty() == (sample.kind[0] == '\0'));
        if (found.empty()) continue;
        const report& first = found[0];
        CHECK(first.reader == "wedge");
        CHECK(first.kind == sample.kind);
        CHECK(joined(first.cycle_locks, ", ") == sample.cycle);
        CHECK(first.task == sample.task);
        CHECK(first.complete == sample.complete);
        CHECK(first.complete == first.missing.empty());
        if (first.kind != "circular") continue;
        REQUIRE(first.edges.size() == first.cycle_locks.size());
        for (std::size_t i = 0; i < first.edges.size(); ++i) {
            CHECK(first.edges[i].from == first.cycle_locks[i]);
            CHECK(first.edges[i].to == first.cycle_locks[(i + 1) % first.edges.size()]);
            CHECK_FALSE(first.edges[i].task.empty());
            CHECK_FALSE(first.edges[i].stack.empty());
        }
        CHECK(first.new_lock == first.cycle_locks.front());
        CHECK(first.held_lock == first.cycle_locks.back());
    }
}

TEST_CASE("a finding that is cut shows no other cycle") {
    for (const wedge_sample& sample : wedge_samples) {
        CAPTURE(sample.file);
        const std::string whole = text_of(sample);
        const std::vector<report> all = reports(whole);
        for (std::size_t cut = 0; cut < whole.size(); ++cut) {
            // Every byte takes half a minute in a debug build, and minutes under sanitizers.
            if (whole[cut] != '\n' && cut % 13 != 0) continue;
            CAPTURE(cut);
            for (const report& each : reports(whole.substr(0, cut))) {
                const std::string cycle = joined(each.cycle_locks, ", ");
                CAPTURE(cycle);
                CHECK(std::any_of(all.begin(), all.end(), [&](const report& known) {
                    return cycle.empty() || known.cycle_locks == each.cycle_locks;
                }));
            }
        }
    }
}

TEST_CASE("the dress of a finding changes nothing") {
    for (const wedge_sample& sample : wedge_samples) {
        CAPTURE(sample.file);
        const std::string text = text_of(sample);
        const std::string expected = core_of(reports(text));
        for (const char* const prefix :
             {"> ", ">> ", "| ", "2026-11-29T11:33:06.1234567Z ", "[   12.345678] "})
            CHECK(core_of(reports(dressed(text, prefix, ""))) == expected);
        CHECK(core_of(reports(dressed(text, "", "\r"))) == expected);
        CHECK(core_of(reports("build: ok\n" + text + "\n\n" + text + "done\n")) ==
              expected + expected);
    }
}

TEST_CASE("a finding that a mail has broken into lines has the same cycle") {
    for (const wedge_sample& sample : wedge_samples) {
        CAPTURE(sample.file);
        const std::string text = text_of(sample);
        if (text.starts_with("{")) continue;  // JSON is one line, or it is cut
        const std::vector<report> expected = reports(text);
        const std::vector<report> found = reports(wrapped(text, 72));
        REQUIRE(found.size() == expected.size());
        for (std::size_t i = 0; i < found.size(); ++i)
            CHECK(found[i].cycle_locks == expected[i].cycle_locks);
    }
}

TEST_CASE("places and modes come from the lines of the locks") {
    const report live = reports(reading::file("wedge_live_abba.txt")).at(0);
    REQUIRE(live.edges.size() == 2);
    CHECK(live.edges[1].from == "journal");
    CHECK(live.edges[1].stack.at(0) == "samples/wedge.cpp:17");
    CHECK(live.edges[1].from_stack.at(0) == "samples/wedge.cpp:16");
    CHECK(live.edges[1].stack.size() > 1);
    CHECK(live.edges[0].task == "thread 1");
    const report readers = reports(reading::file("wedge_check_readers_with_writers.txt")).at(0);
    CHECK(readers.edges.at(0).mode == acquire_mode::read);
    CHECK(readers.edges.at(0).from_mode == acquire_mode::read);
    REQUIRE(readers.tasks.size() == 4);
    CHECK(readers.tasks[2].task == "write_a");
    CHECK(readers.tasks[2].waits.at(0).mode == acquire_mode::write);
    CHECK(readers.tasks[2].waits.at(0).owner == "forward");
}

TEST_CASE("a guard, a stated order and the verdict are told") {
    for (const char* const file : {"wedge_check_gate_lock.txt", "wedge_json_gate_lock.txt"})
        CHECK(reports(reading::file(file)).at(0).guard == "gate");
    CHECK(reports(reading::file("wedge_check_might_lock.txt")).at(0).proved == "refuted");
    CHECK(reports(reading::file("wedge_check_reclaim_under_lock.txt")).at(0).proved == "confirmed");
    CHECK(reports(reading::file("wedge_live_abba.txt")).at(0).proved.empty());
    const report stated = reports(
                              "possible deadlock: a -> b here, b -> a before\n"
                              "  holding  a taken at x/y.cpp:1 by main\n"
                              "  taking   b at x/y.cpp:2\n"
                              "  earlier  b -> a at x/y.cpp:4 (stated), b taken at x/y.cpp:3\n")
                              .at(0);
    CHECK(stated.complete);
    CHECK(stated.edges.at(0).task.empty());
    CHECK(joined(stated.notes, "").find("b -> a is stated") != std::string::npos);
    const report seen = reports(reading::file("wedge_check_philosophers.txt")).at(0);
    CHECK(seen.has_happened);
    CHECK(joined(seen.notes, "").find("observed: it happened") != std::string::npos);
}

TEST_CASE("the order checker's text of two locks of one class names two objects") {
    const auto read = [](const char* what) {
        return reports(std::string("recursive: ") + what +
                       "\n  lock     account (exclusive) at bank/x.cpp:1 by transfer"
                       "\n  lock     account (shared) at bank/x.cpp:2 by transfer\n")
            .at(0);
    };
    const report two = read("account taken while another account is held");
    CHECK(two.complete);
    CHECK(two.task == "transfer");
    CHECK(two.tasks.at(0).held.at(0).instance != two.locks.at(0).instance);
    CHECK(two.edges.at(0).mode == acquire_mode::read);
    const report one = read("account taken again while held");
    CHECK(one.tasks.at(0).held.at(0).instance == one.locks.at(0).instance);
    CHECK(joined(one.cycle_locks, ", ") == "account");
}

TEST_CASE("the states of a lock in interrupts are those of the kernel's reports") {
    const report irq = reports(reading::file("wedge_check_irq_unsafe_lock.txt")).at(0);
    CHECK(irq.usage_states == "HARDIRQ-ON-W/IN-HARDIRQ-W");
    CHECK(irq.safe_context == "HARDIRQ");
}

TEST_CASE("names that cannot be told apart make no cycle") {
    const std::string evidence =
        "\n  holding  a taken at x.cpp:1 by t\n  taking   b at x.cpp:2\n"
        "  earlier  b -> a at x.cpp:4 by u, b taken at x.cpp:3\n";
    for (const char* const what :
         {"a -> b here, c -> a before", "a -> b here, b -> a", "a -> b -> c here, c -> a before",
          "a -> b here, b -> a, a -> b, b -> a before", " -> b here, b ->  before"}) {
        CAPTURE(what);
        for (const report& each : reports(std::string("possible deadlock: ") + what + evidence)) {
            CHECK(each.cycle_locks.empty());
            CHECK_FALSE(each.complete);
        }
    }
}

TEST_CASE("damaged JSON gives no cycle and no crash") {
    for (const char* const text :
         {R"({"outcome":1,"findings":2})", R"({"outcome":"x","findings":[1,[],{"kind":3}]})",
          R"({"outcome":"x","findings":[{"kind":"circular","hang":[3],"classes":[1]}]})",
          R"({"outcome":"x","findings":[{"kind":"circular","hang":[{}],"classes":["a"]}]})",
          R"({"outcome":"x","findings":[{"kind":"circular","hang":{},"classes":["a","b"]}]})"})
        for (const report& each : reports(text)) {
            CAPTURE(text);
            CHECK(each.cycle_locks.empty());
            CHECK_FALSE(each.complete);
        }
    CHECK(
        reports("deadlock: 2 findings; 12 executions\nsound: no findings; 1 execution\n").empty());
    CHECK(reports("deadlock: the lunch queue\nwait type: long\n").empty());
}

}  // namespace
