#include <doctest/doctest.h>

#include "wedge/stress.hpp"

#include "stress/sample_workloads.hpp"
#include "support/counted_run.hpp"
#include "support/lock_pair_text.hpp"

namespace {

/// Releases the threads of a wedged run, and waits until they have ended.
template <class W>
void let_go() {
    samples::openable_mutex::is_open.store(true);
    while (W::alive.load() != 0) ::sched_yield();
    samples::openable_mutex::is_open.store(false);
}

}  // namespace

TEST_CASE("stress: a deadlock is found, with what every task holds and wants") {
    using broken = samples::certain_wedge<false>;
    wedge::stress_options how = counted_run(0, wedge::parse_program("forth | back"));
    how.threads = 2;
    {
        const wedge::stress_outcome all = wedge::stress<broken>(how);
        CHECK(all.is_wedged);
        CHECK(all.what.what == wedge::result::deadlock);
        REQUIRE(all.what.findings.size() == 1);
        const wedge::finding& found = all.what.findings[0];
        CHECK(found.signature == "cycle a/EE b/EE");
        CHECK(found.judged == wedge::verdict::confirmed);
        REQUIRE(found.tasks.size() == 2);
        for (const wedge::task_report& each : found.tasks) {
            REQUIRE(each.held.size() == 1);
            REQUIRE(each.wanted);
            CHECK(each.held[0].class_name != each.wanted->class_name);
            CHECK(each.wanted->where.is_known());
        }
    }
    let_go<broken>();
}

TEST_CASE("stress: an exception is a finding beside a deadlock too") {
    wedge::stress_options how = counted_run(0, wedge::parse_program("forth | back | fail"));
    how.threads = 3;
    bool is_found = false;
    // The watchdog may look before the third thread has noted what it throws.
    for (int runs = 0; runs < 50 && !is_found; ++runs) {
        {
            const wedge::stress_outcome all = wedge::stress<samples::throws_beside_wedge>(how);
            CHECK(all.is_wedged);
            for (const wedge::finding& each : all.what.findings)
                is_found = is_found || each.what == "worker 3 threw: no more memory";
        }
        let_go<samples::certain_wedge<false>>();
    }
    CHECK(is_found);
}

TEST_CASE("stress: a thread pool finds the same in several runs, even after a deadlock") {
    using broken = samples::certain_wedge<false>;
    wedge::thread_pool threads;
    const auto run = [&](auto stress, std::uint64_t calls_max) {
        wedge::stress_options how = counted_run(calls_max, wedge::parse_program("forth | back"));
        how.threads = 2;
        how.threads_of = &threads;
        return stress(how);
    };
    for (int i = 0; i < 2; ++i) {
        const wedge::stress_outcome clean = run(&wedge::stress<samples::certain_wedge<true>>, 100);
        CHECK_FALSE(clean.is_wedged);
        CHECK(clean.calls == 200);
        {
            const wedge::stress_outcome stuck = run(&wedge::stress<broken>, 0);
            CHECK(stuck.is_wedged);
            REQUIRE(stuck.what.findings.size() == 1);
            CHECK(stuck.what.findings[0].signature == "cycle a/EE b/EE");
        }
        let_go<broken>();
    }
}

TEST_CASE("stress: what a run leaves in a thread does not reach the next run") {
    wedge::thread_pool threads;
    wedge::stress_options how = counted_run(1);
    how.threads = 1;
    how.threads_of = &threads;
    CHECK(wedge::stress<samples::leaver>(how).what.findings.empty());
    CHECK(wedge::stress<samples::leaver>(how).what.findings.empty());
    how.calls_max = 2;  // the second call is in the same run
    CHECK(wedge::stress<samples::leaver>(how).what.findings.size() == 1);
}

TEST_CASE("stress: the workload with one order ends") {
    using repaired = samples::certain_wedge<true>;
    wedge::stress_options how = counted_run(200, wedge::parse_program("forth | back"));
    how.threads = 2;
    const wedge::stress_outcome all = wedge::stress<repaired>(how);
    CHECK_FALSE(all.is_wedged);
    CHECK(all.what.what == wedge::result::unresolved);
    CHECK(all.what.findings.empty());
    CHECK(all.calls == 400);
    CHECK(repaired::alive.load() == 0);
}

TEST_CASE("stress: a task that stands still too long has wedged, with or without a cycle") {
    wedge::stress_options how = counted_run(0);
    how.threads = 1;
    how.patience = std::chrono::milliseconds(20);
    const wedge::stress_outcome all = wedge::stress<samples::sleeper>(how);
    CHECK(all.is_wedged);
    REQUIRE(all.what.findings.size() == 1);
    CHECK(all.what.findings[0].cycle.empty());
    CHECK(all.what.findings[0].tasks[0].held[0].class_name == "sleeper");
    let_go<samples::sleeper>();
}

TEST_CASE("stress: an inverted order is found without a deadlock, its twin is clean") {
    wedge::stress_options how = counted_run(500);
    const wedge::stress_outcome broken = wedge::stress<samples::inversion<false>>(how);
    CHECK_FALSE(broken.is_wedged);
    CHECK(broken.what.what == wedge::result::finding);
    REQUIRE(broken.what.findings.size() == 1);
    CHECK(broken.what.findings[0].signature == "cycle ia/EE ib/EE");
    CHECK(broken.what.findings[0].judged == wedge::verdict::unresolved);
    const wedge::stress_outcome repaired = wedge::stress<samples::inversion<true>>(how);
    CHECK(repaired.what.findings.empty());
    CHECK(repaired.what.what == wedge::result::unresolved);
}

TEST_CASE("stress: with exact evidence a guard refutes the finding") {
    wedge::stress_options how = counted_run(300);
    how.kept = wedge::evidence::exact;
    const wedge::stress_outcome all = wedge::stress<samples::guarded>(how);
    CHECK_FALSE(all.is_wedged);
    REQUIRE(all.what.findings.size() == 1);
    CHECK(all.what.findings[0].judged == wedge::verdict::refuted);
    CHECK(all.what.what == wedge::result::unresolved);
}

TEST_CASE("stress: an exception of an action or the check is a finding, its twin throws nothing") {
    wedge::stress_options how = counted_run(10);
    how.threads = 1;
    const wedge::stress_outcome broken = wedge::stress<samples::thrower<false>>(how);
    CHECK(broken.what.what == wedge::result::exception);
    REQUIRE(broken.what.findings.size() == 2);
    CHECK(broken.what.findings[0].what == "worker 1 threw: planted");
    CHECK(broken.what.findings[1].what == "check threw: checked");
    CHECK(wedge::stress<samples::thrower<true>>(how).what.findings.empty());
}

TEST_CASE("stress: every acquire is counted by class") {
    wedge::stress_options how = counted_run(250, wedge::parse_program("insert | look"));
    how.threads = 2;
    const wedge::stress_outcome all = wedge::stress<samples::inversion<true>>(how);
    const auto rows = all.locks.rows();
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].name == "table");
    CHECK(rows[0].counted.acquired == 500);
    CHECK(all.what.steps == 500);
}

TEST_CASE("stress: a memory hog does not prevent the end of a run") {
    wedge::stress_options how = counted_run(50);
    how.hog_mebibytes = 4;
    CHECK(wedge::stress<samples::inversion<true>>(how).calls == 200);
}

TEST_CASE("stress: it ends early if it is told to") {
    std::atomic<bool> stop{true};
    wedge::stress_options how = counted_run(0);
    how.stop = &stop;
    CHECK_FALSE(wedge::stress<samples::inversion<true>>(how).is_wedged);
}

TEST_CASE("stress: a program that calls an unknown action is an error of the user") {
    CHECK_THROWS_AS(
        wedge::stress<samples::guarded>(counted_run(1, wedge::parse_program("forth | sideways"))),
        wedge::error);
}

TEST_CASE("stress: each action has its latencies, each class its waits and holds") {
    using repaired = samples::certain_wedge<true>;
    wedge::stress_options how = counted_run(100, wedge::parse_program("forth, back | back"));
    how.threads = 2;
    const wedge::stress_outcome all = wedge::stress<repaired>(how);
    REQUIRE(all.actions.size() == 2);
    CHECK(all.actions[0].name == "forth");
    CHECK(all.actions[0].latencies.count() == 50);
    CHECK(all.actions[1].latencies.count() == 150);
    CHECK(all.calls_by_thread == std::vector<std::uint64_t>{100, 100});
    CHECK(all.fairness() == doctest::Approx(1));
    const auto rows = all.locks.rows();
    REQUIRE(rows.size() == 2);
    for (const wedge::lock_statistics::row& each : rows) {
        CHECK(each.counted.acquired == 200);
        CHECK(each.counted.waits.count() == 200);
        CHECK(each.counted.holds.count() == 200);
    }
    CHECK(all.locks.sites().size() == 2);
    CHECK(all.rss_max != 0);
}

TEST_CASE("stress: statistics, actions and stacks are there even if threads are stuck") {
    using broken = samples::certain_wedge<false>;
    wedge::stress_options how = counted_run(0, wedge::parse_program("forth | back"));
    how.threads = 2;
    {
        const wedge::stress_outcome all = wedge::stress<broken>(how);
        CHECK(all.is_wedged);
        CHECK(all.locks.rows().size() == 2);
        REQUIRE(all.what.findings.size() == 1);
        CHECK(all.what.findings[0].tasks[0].action == "forth");
        CHECK(all.what.findings[0].tasks[1].action == "back");
        REQUIRE(all.stacks.size() == 2);
        for (const auto& [name, calls] : all.stacks) CHECK(!calls.empty());
    }
    let_go<broken>();
}

TEST_CASE("stress: what a lock is held over is counted") {
    wedge::stress_options how = counted_run(10, wedge::parse_program("act"));
    how.threads = 1;
    const wedge::stress_outcome all = wedge::stress<samples::reclaimer>(how);
    const auto rows = all.locks.held_over_rows();
    REQUIRE(rows.size() == 2);
    for (const auto& row : rows) {
        CHECK(row.held == "outer");
        CHECK(row.counted.times == 10);
    }
    CHECK(rows[0].over != rows[1].over);
    CHECK((rows[0].over == "a section" || rows[1].over == "a section"));
    CHECK((rows[0].over == "user memory" || rows[1].over == "user memory"));
}

TEST_CASE("stress: injected failures reach trylocks, and only those") {
    wedge::stress_options how = counted_run(300, wedge::parse_program("act"));
    how.threads = 1;
    CHECK(wedge::stress<samples::trier>(how).locks.total().failed == 0);
    how.pauses.try_failures = 512;
    const wedge::lock_usage total = wedge::stress<samples::trier>(how).locks.total();
    CHECK(total.tried == 300);
    CHECK(total.failed > 50);
    CHECK(total.failed < 250);
    CHECK(total.acquired == 600 - total.failed);
}

TEST_CASE("stress: a warm-up is not counted") {
    wedge::stress_options how;
    how.threads = 1;
    how.look_every = std::chrono::milliseconds(1);
    how.warm_up = std::chrono::milliseconds(20);
    how.time = std::chrono::milliseconds(1);
    how.thinking = {wedge::random_time::shape::fixed, std::chrono::milliseconds(1)};
    const wedge::stress_outcome all = wedge::stress<samples::trier>(how);
    CHECK(all.actions[0].latencies.count() == all.calls);
    CHECK(all.locks.total().tried == all.calls);
}

TEST_CASE("stress: the recorder keeps the last steps of each thread as a trace") {
    wedge::stress_options how = counted_run(100, wedge::parse_program("act"));
    how.threads = 1;
    CHECK(wedge::stress<samples::trier>(how).trace.empty());
    how.recorded = 10;  // each call takes six steps
    const std::string trace = wedge::stress<samples::trier>(how).trace;
    CHECK(trace.starts_with("wedge-trace 1\nthread 1 worker 1\n"));
    for (const char* const part :
         {" mutex trier outer#", " mutex tried#", "\nsite 1 stress/", "\n1 request ",
          "\n1 acquire ", "\n1 try_acquire ", "\n1 release "})
        CHECK_MESSAGE(trace.find(part) != std::string::npos, part);
    std::size_t steps = 0;
    for (std::size_t at = 0; (at = trace.find(" @", at)) != std::string::npos; ++at) ++steps;
    CHECK(steps == 10);
}

TEST_CASE("stress: the lock pairs that the threads have shown are in the outcome") {
    const auto shown = [](const char* calls) {
        wedge::stress_options how = counted_run(3, wedge::parse_program(calls));
        how.threads = 2;
        return text_of_lock_pairs(wedge::stress<samples::ordered_pair>(how).what.lock_pairs);
    };
    CHECK(shown("alone") == "");
    CHECK(shown("alone | nested") == "outer>inner");
}
