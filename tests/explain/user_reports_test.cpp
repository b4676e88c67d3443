// Reports of user-space tools, recorded by samples/record.sh: what is planted is found, the
// repaired program's log is silent, a cut log never shows a wrong cycle.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "reading.hpp"
#include "support/trials.hpp"

namespace {

using reading::core_of;
using reading::dressed;
using reading::joined;
using reading::reports;
using reading::split;
using wedge::explain::acquire_mode;
using wedge::explain::report;

/// A recorded log and what it says.
struct user_sample {
    const char* file;
    const char* kind;   ///< of its first report; empty: it has none
    const char* cycle;  ///< the locks; `*` stands for an address
    bool complete;
};

constexpr user_sample user_samples[] = {
    {"tsan_abba.txt", "circular", "M0, M1", true},
    {"tsan_three.txt", "circular", "M0, M1, M2", true},
    {"tsan_gcc.txt", "circular", "M9, M10, M11", true},
    {"tsan_shared.txt", "circular", "M0, M1", true},
    {"tsan_double.txt", "recursive", "take_broken_lock()::broken", true},
    {"tsan_repaired.txt", "", "", true},
    {"helgrind_abba.txt", "circular", "accounts, journal", true},
    {"helgrind_shared.txt", "circular", "table, accounts", true},
    {"helgrind_three.txt", "circular", "", false},
    {"helgrind_double.txt", "recursive", "lock of twice() (order.cpp:72)", true},
    {"helgrind_repaired.txt", "", "", true},
    {"drd_double.txt", "recursive", "*", true},
    {"abseil_abba.txt", "circular", "*, *", true},
    {"abseil_three.txt", "circular", "*, *, *", true},
    {"abseil_double.txt", "recursive", "*", true},
    {"abseil_repaired.txt", "", "", true},
    {"go_abba.txt", "circular", "accounts, journal", true},
    {"go_double.txt", "recursive", "*", true},
    {"go_hang.txt", "circular", "*, *", true},
    {"go_read.txt", "hung", "", true},
    {"go_repaired.txt", "", "", true},
    {"java_monitor.txt", "circular", "Hang$Journal, Hang$Account", true},
    {"java_no_summary.txt", "circular", "Hang$Journal, Hang$Account", true},
    {"java_three.txt", "circular", "Hang$Journal, Hang$Cache, Hang$Account", true},
    {"java_wait.txt", "hung", "", true},
    {"java_repaired.txt", "", "", true},
    {"gdb_abba.txt", "hung", "", false},
    {"gdb_abba_owners.txt", "circular", "accounts, journal", true},
    {"gdb_three_owners.txt", "circular", "accounts, journal, pages", true},
    {"gdb_std_owners.txt", "circular", "one, two", true},
    {"gdb_self_owners.txt", "recursive", "accounts", true},
    {"gdb_join_owners.txt", "circular", "accounts, end of thread 2 (hang)", true},
    {"gdb_shared.txt", "hung", "", false},
    {"gdb_condition_owners.txt", "hung", "", true},
    {"gdb_repaired.txt", "", "", true},
    {"gdb_repaired_owners.txt", "", "", true},
};

/// The cycle with `*` for each address.
std::string cycle_of(const report& found) {
    std::vector<std::string> locks = found.cycle_locks;
    for (std::string& each : locks)
        if (each.starts_with("0x")) each = "*";
    return joined(locks, ", ");
}

/// Whether a cut log has the cycle of the whole one. Where the name of a lock is cut off, its
/// address stands for it.
bool is_same_cycle(const report& cut, const report& whole) {
    if (cut.cycle_locks.size() != whole.cycle_locks.size()) return false;
    for (std::size_t i = 0; i < cut.cycle_locks.size(); ++i)
        if (cut.cycle_locks[i] != whole.cycle_locks[i] && !cut.cycle_locks[i].starts_with("0x") &&
            cut.locks.at(i).instance != whole.locks.at(i).instance)
            return false;
    return true;
}

std::string read(const user_sample& sample) {
    return reading::file(sample.file);
}

TEST_CASE("a recorded log of a user-space tool says what was planted") {
    for (const user_sample& sample : user_samples) {
        CAPTURE(sample.file);
        const std::vector<report> found = reports(read(sample));
        REQUIRE(found.empty() == (sample.kind[0] == '\0'));
        if (found.empty()) continue;
        CHECK(found[0].kind == sample.kind);
        CHECK(cycle_of(found[0]) == sample.cycle);
        CHECK(found[0].complete == sample.complete);
        CHECK(found[0].complete == found[0].missing.empty());
        if (found[0].cycle_locks.empty()) continue;
        REQUIRE(found[0].edges.size() == found[0].cycle_locks.size());
        for (std::size_t i = 0; i < found[0].edges.size(); ++i) {
            CHECK(found[0].edges[i].from == found[0].cycle_locks[i]);
            CHECK(found[0].edges[i].to ==
                  found[0].cycle_locks[(i + 1) % found[0].cycle_locks.size()]);
        }
        CHECK(found[0].new_lock == found[0].cycle_locks.front());
        CHECK(found[0].held_lock == found[0].cycle_locks.back());
    }
}

TEST_CASE("a log that is cut anywhere shows no other cycle") {
    for (const user_sample& sample : user_samples) {
        CAPTURE(sample.file);
        const std::string whole = read(sample);
        const std::vector<report> all = reports(whole);
        std::vector<std::size_t> cuts;  // at each end of a line, and within lines now and then
        for (std::size_t cut = 0; cut < whole.size(); ++cut)
            if (whole[cut] == '\n' || cut % 131 == 0) cuts.push_back(cut);
        for (const std::size_t cut : wedge::some_of(std::move(cuts), 5)) {
            for (const report& each : reports(whole.substr(0, cut))) {
                const std::string cycle = joined(each.cycle_locks, ", ");
                CAPTURE(cut);
                CAPTURE(cycle);
                CHECK(std::any_of(all.begin(), all.end(), [&](const report& known) {
                    return cycle.empty() || is_same_cycle(each, known);
                }));
            }
        }
    }
}

TEST_CASE("the dress of a log changes nothing") {
    for (const user_sample& sample : user_samples) {
        CAPTURE(sample.file);
        const std::string text = read(sample);
        const std::string expected = core_of(reports(text));
        CHECK(core_of(reports(dressed(text, "> ", ""))) == expected);
        CHECK(core_of(reports(dressed(text, ">> ", ""))) == expected);
        CHECK(core_of(reports(dressed(text, "", "\r"))) == expected);
        CHECK(core_of(reports(dressed(text, "2026-11-29T11:33:06.1234567Z ", ""))) == expected);
        CHECK(core_of(reports(dressed(text, "[   12.345678] ", ""))) == expected);
        // A log with the same report twice, among other lines.
        CHECK(core_of(reports("build: ok\n" + text + "\n\n" + text + "done\n")) ==
              expected + expected);
    }
}

TEST_CASE("the acquire modes come from the functions of the stacks") {
    const report shared = reports(reading::file("tsan_shared.txt")).at(0);
    CHECK(shared.edges.at(0).from_mode == acquire_mode::read);
    CHECK(shared.edges.at(0).mode == acquire_mode::write);
    CHECK(shared.edges.at(1).from_mode == acquire_mode::write);
    CHECK(shared.edges.at(1).mode == acquire_mode::write);
}

TEST_CASE("stacks begin where the program acquires") {
    const auto inner = [](const char* file, std::size_t edge) {
        return reports(reading::file(file)).at(0).edges.at(edge).stack.at(0);
    };
    CHECK(inner("tsan_abba.txt", 0).starts_with("both(pthread_mutex_t&, pthread_mutex_t&) ("));
    CHECK(inner("helgrind_abba.txt", 1).starts_with("both(pthread_mutex_t&, pthread_mutex_t&) ("));
    CHECK(inner("gdb_std_owners.txt", 0).starts_with("take_std"));
    CHECK(inner("go_abba.txt", 0).starts_with("main.transfer ("));
    CHECK(inner("java_lock.txt", 0).starts_with("Hang.both("));
}

TEST_CASE("a dump of threads names who waits for whom") {
    const report dump = reports(reading::file("gdb_condition_owners.txt")).at(0);
    CHECK(dump.task == "thread 3 (hang)");
    CHECK(dump.has_happened);
    bool is_there = false;
    for (const auto& task : dump.tasks)
        for (const auto& wait : task.waits)
            is_there = is_there || (wait.lock == "accounts" && wait.owner == "thread 2 (hang)");
    CHECK(is_there);
    const report java = reports(reading::file("java_wait.txt")).at(0);
    CHECK(java.task == "notifier");
    REQUIRE(!java.tasks.empty());
    for (const auto& task : java.tasks)
        if (task.task == "waiter") CHECK(task.waits.at(0).lock == "notification of Hang$Journal");
}

TEST_CASE("a chain that Helgrind does not print is said to be missing") {
    const report three = reports(reading::file("helgrind_three.txt")).at(0);
    CHECK(three.cycle_locks.empty());
    REQUIRE(three.edges.size() == 1);
    CHECK(three.edges[0].from == "pages");
    CHECK(three.edges[0].to == "accounts");
    CHECK(three.missing.size() == 1);
}

TEST_CASE("Java's own list of deadlocks is enough") {
    const std::string text = reading::file("java_three.txt");
    const std::size_t from = text.find("Found one Java-level deadlock");
    const std::vector<report> found = reports(text.substr(from));
    REQUIRE(found.size() == 1);
    CHECK(joined(found[0].cycle_locks, ", ") == "Hang$Journal, Hang$Cache, Hang$Account");
    CHECK(found[0].complete);
}

TEST_CASE("a damaged number of a thread is no number") {
    // Found by fuzzing: two lines of a dump without the end between them.
    CHECK(reports("Thread 2 (Thread 0x7f5bb561d60055a160196a9d (LWP 99999999999999999999)):\n"
                  "#0  __pthread_clockjoin_ex (threadid=140324006778560) at join.c:1\n")
              .empty());
}

TEST_CASE("gdb breaks long frames") {
    const std::string text =
        "Thread 2 (Thread 0x7f01 (LWP 12)):\n"
        "#0  __lll_lock_wait () at lowlevellock.S:135\n"
        "#1  0x00007f in __GI___pthread_mutex_lock (\n    mutex=0x601080 <a>)\n    at "
        "../nptl/pthread_mutex_lock.c:80\n"
        "#2  0x00000000004008f5 in f () at x.c:9\n\n"
        "Thread 1 (Thread 0x7f02 (LWP 11)):\n"
        "#0  __lll_lock_wait () at lowlevellock.S:135\n"
        "#1  0x00007f in __GI___pthread_mutex_lock (mutex=0x601040 <b>)\n    at "
        "../nptl/pthread_mutex_lock.c:80\n"
        "#2  0x0000000000400935 in g () at x.c:19\n"
        "(gdb) p *(pthread_mutex_t *) 0x601080\n"
        "$1 = {__data = {__lock = 2, __count = 0, __owner = 11, __nusers = 1}}\n"
        "(gdb) p b\n"
        "$2 = {__data = {__lock = 2, __count = 0, \n    __owner = 12, __nusers = 1}}\n";
    const std::vector<report> found = reports(text);
    REQUIRE(found.size() == 1);
    CHECK(found[0].kind == "circular");
    CHECK(joined(found[0].cycle_locks, ", ") == "a, b");
    // The owner of an expression that is not the lock's says nothing.
    CHECK(reports(reading::file("gdb_abba.txt") + "$1 = {__data = {__owner = 12}}\n").at(0).kind ==
          "hung");
}

}  // namespace
