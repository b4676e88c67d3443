#include <csignal>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wedge/core/sanitizer.hpp"
#include "wedge/lock/guard.hpp"
#include "wedge/lock/mutex.hpp"
#include "wedge/main/files.hpp"
#include "wedge/main/interrupt.hpp"

#include "main/fake_program.hpp"
#include "main/sample_scenarios.hpp"

namespace hunt_test {

TEST_CASE(
    "hunt: for one scenario, shows the engines, the finding and the command that repeats it") {
    const scratch_folder here;
    wedge::write_text("abba.wedge", std::string(abba_text) + "expect deadlock\n");
    const called found = call_program({}, {"hunt", "abba.wedge"});
    CHECK(found.status == 0);
    CHECK(
        found.out.starts_with("abba.wedge: deadlock, as expected\n\n  engines  the order pass, a "
                              "search over states: "));
    const std::size_t at = found.out.find("replay: ./bin/bank replay findings/abba-");
    REQUIRE(at != std::string::npos);
    CHECK(found.out.find("\n  picture   findings/abba-") != std::string::npos);
    CHECK(found.out.ends_with("1 scenario hunted, 1 as expected\n"));
    const std::size_t file = found.out.find("findings/", at);
    const std::string schedule = found.out.substr(file, found.out.find('\n', file) - file);
    CHECK(call_program({}, {"replay", schedule.c_str()}).status == 1);
}

TEST_CASE("hunt: for a directory, prints one line per scenario that ends as expected") {
    const scratch_folder here;
    wedge::make_folder("zoo");
    wedge::write_text("zoo/a.wedge", std::string(abba_text) + "expect deadlock\n");
    wedge::write_text("zoo/b.wedge", ordered_text);
    const called fine = call_program({}, {"hunt", "zoo"});
    CHECK(fine.status == 0);
    CHECK(fine.out ==
          "zoo/a.wedge: deadlock, as expected\nzoo/b.wedge: sound, as expected\n"
          "2 scenarios hunted, 2 as expected\n");
    wedge::write_text("zoo/c.wedge", abba_text);
    wedge::write_text("zoo/d.wedge", "lok a mutex\n");
    const called found = call_program({}, {"hunt", "zoo", "--out", "out"});
    CHECK(found.status == 2);
    CHECK(found.out.find("zoo/c.wedge: deadlock; expected: sound\n\n  engines  ") !=
          std::string::npos);
    CHECK(found.out.ends_with("3 scenarios hunted, 2 as expected; 1 could not be read\n"));
    CHECK(found.err.starts_with("bank: zoo/d.wedge:1:1: found 'lok'"));
}

/// Its action raises SIGINT, as if the user ended the search.
struct ended_early {
    wedge::mutex a{"a"}, b{"b"};

    void end() {
        const wedge::guard one(a);
        const wedge::guard two(b);
        if (!wedge::interrupt_scope::requested.load()) std::raise(SIGINT);  // once
    }
    static constexpr auto actions = wedge::actions(wedge::action<&ended_early::end>{"end"});
    static constexpr const char* name = "ended_early";
};

TEST_CASE("hunt: an interrupted search says so, proves nothing and is not a success") {
    const scratch_folder here;
    const std::vector<wedge::workload_entry> all{wedge::entry_of<ended_early>()};
    const called found = call_program(all, {"hunt", "--seconds", "60"});
    CHECK(found.status == 130);
    CHECK(found.out.starts_with("== ended_early: interrupted, nothing found so far\n"));
    CHECK(found.out.find("no deadlock is possible") == std::string::npos);
    CHECK(
        found.out.ends_with("1 workload hunted, 0 as expected, 1 interrupted\n"
                            "interrupted: stopped early\n"));
}

/// A task blocks on a std::mutex.
struct asleep {
    wedge::mutex a{"a"};
    void sleep() {
        const wedge::guard held(a);
        for (;;) ::pause();
    }
    static constexpr auto actions = wedge::actions(wedge::action<&asleep::sleep>{"sleep"});
    static constexpr const char* name = "asleep";
};

TEST_CASE("hunt: a task that blocks outside of wedge ends the hunt") {
    if (wedge::sanitizer::thread) return;  // TSan delays signals while a thread blocks
    const scratch_folder here;
    const pid_t child = ::fork();
    if (child == 0) {
        const std::vector<wedge::workload_entry> all{wedge::entry_of<asleep>()};
        call_program(all, {"hunt", "--watchdog", "1"});
        ::_exit(3);  // not reached: the watchdog ends the process before
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 1);
}

TEST_CASE("hunt: a scenario with too many tasks for the search over states goes to the portfolio") {
    const scratch_folder here;
    wedge::write_text("a.wedge",
                      "memory 8 pages low 0 high 0\n"  // kswapd is a task too
                      "lock a mutex\nthread one x64 {\n    lock a\n    unlock a\n}\n");
    const called found = call_program({}, {"hunt", "a.wedge", "--executions", "10"});
    CHECK(found.out.find("the order pass, the portfolio of strategies: ") != std::string::npos);
}

}  // namespace hunt_test
