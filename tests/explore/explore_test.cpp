#include <doctest/doctest.h>

#include "wedge/core/schedule_text.hpp"
#include "wedge/explore/engine/progress.hpp"

#include "explore/workloads.hpp"

using namespace workloads;
using wedge::result;
using wedge::strategy;
using wedge::substrate;
using wedge::verdict;

namespace {

template <strategy How, substrate On>
struct setting {
    static wedge::explore_options options(std::uint64_t executions = 2000) {
        return {.how = How, .executions_max = executions, .on = On};
    }
};
using random_on_threads = setting<strategy::random, substrate::threads>;
using exhaustive_on_threads = setting<strategy::exhaustive, substrate::threads>;
using random_walks = setting<strategy::random, substrate::automatic>;
using exhaustive = setting<strategy::exhaustive, substrate::automatic>;
using portfolios = setting<strategy::portfolio, substrate::automatic>;

struct endless {
    wedge::mutex lock{"lock"};
    void loop() {
        for (;;) const wedge::guard held(lock);
    }
    static constexpr auto actions = wedge::actions(wedge::action<&endless::loop>{"loop"});
};

/// ThreadSanitizer sees tasks as threads. The tasks share wedge's state of their real thread, and
/// that sharing is no race.
struct lock_of_each {
    void make() {
        wedge::mutex named{"made by a task"}, unnamed;
        const wedge::guard first(named);
        const wedge::guard second(unnamed);
    }
    static constexpr auto actions = wedge::actions(wedge::action<&lock_of_each::make>{"make"});
};

/// Throws before its first step.
struct rash : abba {
    void boom() { throw std::runtime_error("boom"); }
    void boom_under_b() {
        const wedge::guard held(b);
        boom();
    }
    static constexpr auto actions =
        wedge::actions(wedge::action<&rash::ab>{"ab"}, wedge::action<&rash::boom>{"boom"},
                       wedge::action<&rash::boom_under_b>{"boom_under_b"});
};

template <class W>
wedge::outcome run(const char* program, wedge::explore_options options) {
    return wedge::explore<W>(wedge::parse_program(program), options);
}

}  // namespace

TEST_CASE_TEMPLATE(
    "explore: every strategy and substrate confirms the inversion, and is silent "
    "on its ordered twin",
    Setting, random_walks, exhaustive, portfolios, random_on_threads, exhaustive_on_threads) {
    const wedge::outcome broken = run<abba>("ab | ba", Setting::options(200));
    CHECK(broken.what == result::deadlock);
    REQUIRE(broken.findings.size() == 1);
    const wedge::finding& found = broken.findings[0];
    CHECK(found.kind == wedge::finding_kind::circular);
    CHECK(found.judged == verdict::confirmed);
    CHECK(found.signature == "cycle a/EE b/EE");
    CHECK(found.best.switches() == 1);
    REQUIRE(found.tasks.size() == 2);
    for (const wedge::task_report& task : found.tasks) {
        CHECK(task.held.size() == 1);
        CHECK(task.wanted);
    }
    const wedge::outcome sound = run<abba>("ab | ab", Setting::options(200));
    CHECK(sound.findings.empty());
    CHECK(sound.what == (sound.exhausted ? result::sound : result::unresolved));
}

TEST_CASE("exhaustive: ends after the known number of inequivalent executions") {
    const wedge::explore_options all = exhaustive::options(100'000);
    const auto executions = [](const wedge::outcome& tried) {
        CHECK(tried.exhausted);
        return tried.executions;
    };
    CHECK(executions(run<abba>("ab | ba", all)) == 3);
    CHECK(executions(run<abba>("ab | ab", all)) == 2);
    CHECK(executions(run<abba>("ab | ab | ab", all)) == 6);
    CHECK(executions(wedge::explore<table<3>>(table<3>::all(), all)) == 7);
    CHECK(executions(wedge::explore<table<5>>(table<5>::all(), all)) == 31);
}

TEST_CASE("explore: refutes an inversion under a common lock, and gives the reason") {
    const wedge::outcome tried = run<guarded_abba>("gab | gba", exhaustive::options());
    CHECK(tried.what == result::sound);
    REQUIRE(tried.findings.size() == 1);
    CHECK(tried.findings[0].judged == verdict::refuted);
    CHECK(tried.findings[0].reason.find("gate") != std::string::npos);
    CHECK(run<abba>("ab | ba", exhaustive::options()).findings[0].judged == verdict::confirmed);
}

TEST_CASE("explore: readers in both orders deadlock only if a task writes") {
    const wedge::outcome alone = run<readers>("ab | ba", exhaustive::options());
    CHECK(alone.what == result::sound);
    REQUIRE(alone.findings.size() == 1);
    CHECK(alone.findings[0].judged == verdict::refuted);
    CHECK(alone.findings[0].graded.needs_writer);
    const wedge::outcome joined =
        run<readers>("ab | ba | write_a | write_b", exhaustive::options(100'000));
    CHECK(joined.what == result::deadlock);
    CHECK(joined.findings[0].judged == verdict::confirmed);
}

TEST_CASE("explore: an inversion behind a flag is confirmed by parking, rarely by random walks") {
    // Five random walks see the inversion, but are unlikely to reach its deadlock.
    const wedge::outcome tried =
        run<gated_abba>("ab | open | maybe_ba", {.how = strategy::random, .executions_max = 5});
    CHECK(tried.what == result::deadlock);
    CHECK(run<gated_abba>("ab | maybe_ba", exhaustive::options()).what == result::sound);
}

TEST_CASE("explore: a lost notification is a deadlock, a notification kept in a flag is none") {
    const wedge::outcome lost = run<hand_over>("wait_blindly | set", exhaustive::options());
    CHECK(lost.what == result::deadlock);
    REQUIRE(lost.findings.size() == 1);
    CHECK(lost.findings[0].kind == wedge::finding_kind::deadlock);
    CHECK(lost.findings[0].judged == verdict::observed);
    CHECK(run<hand_over>("wait | set", exhaustive::options()).what == result::sound);
}

TEST_CASE("explore: a task alone in a timed wait is no deadlock") {
    const wedge::outcome tried = run<hand_over>("wait_for_a_while", exhaustive::options());
    CHECK(tried.what == result::sound);
    CHECK(run<hand_over>("wait_for_a_while | set", exhaustive::options()).what == result::sound);
}

TEST_CASE("explore: an exception from a check is a finding, and its schedule repeats it") {
    const wedge::outcome lost = run<account>("split | split", exhaustive::options());
    CHECK(lost.what == result::exception);
    REQUIRE(lost.findings.size() == 1);
    CHECK(lost.findings[0].what == "check threw: an update was lost");
    CHECK(wedge::replay<account>(lost.findings[0].best).what == result::exception);
    CHECK(run<account>("whole | whole", exhaustive::options()).what == result::sound);
}

TEST_CASE_TEMPLATE("explore: a joined child is a task, and a join under its lock a deadlock",
                   Setting, exhaustive, exhaustive_on_threads) {
    CHECK(run<parent>("good", Setting::options()).what == result::sound);
    const wedge::outcome bad = run<parent>("bad", Setting::options());
    CHECK(bad.what == result::deadlock);
    REQUIRE(bad.findings[0].tasks.size() == 2);
    CHECK(bad.findings[0].tasks[0].waits_for == "the end of child");
}

TEST_CASE("explore: plain functions can use locks that outlive the execution") {
    wedge::mutex a("outer a");
    wedge::mutex b("outer b");
    const std::uint32_t before = a.identity().instance();
    const auto ab = [&] {
        const wedge::guard first(a);
        const wedge::guard second(b);
    };
    const auto ba = [&] {
        const wedge::guard first(b);
        const wedge::guard second(a);
    };
    const wedge::outcome broken = wedge::explore({ab, ba});
    CHECK(broken.what == result::deadlock);
    CHECK(broken.findings[0].judged == verdict::confirmed);
    const wedge::outcome sound = wedge::explore({ab, ab});
    CHECK(sound.what == result::sound);
    CHECK(a.identity().instance() == before);
}

TEST_CASE("explore: tasks can make locks of their own") {
    CHECK(run<lock_of_each>("make | make", exhaustive::options()).what == result::sound);
}

TEST_CASE("explore: equal builds and seeds give equal outcomes") {
    const auto text = [] {
        const wedge::outcome tried =
            run<gated_abba>("ab | open | maybe_ba", random_walks::options());
        std::string all = std::to_string(tried.steps);
        for (const wedge::finding& each : tried.findings) all += to_string(each.best);
        return all;
    };
    CHECK(text() == text());
}

TEST_CASE("explore: a program that calls an unknown action is refused") {
    CHECK_THROWS_WITH_AS(run<abba>("ab | typo", {}),
                         "program: workload abba has no action 'typo'; it has: ab, ba",
                         wedge::error);
    CHECK_THROWS_AS(wedge::explore<abba>({}), wedge::error);
}

TEST_CASE("explore: the limit of steps cuts an endless action, and the outcome says so") {
    const wedge::outcome cut = wedge::explore<endless>(wedge::default_program<endless>(),
                                                       {.executions_max = 3, .steps_max = 100});
    CHECK(cut.bounded);
    CHECK(cut.what == result::unresolved);
    CHECK(cut.best.decisions.size() == 100);
}

TEST_CASE(
    "explore: an exception is reported with the locks that every other task held and wanted") {
    const wedge::outcome cut = run<rash>("ab | ab | boom_under_b", exhaustive::options());
    CHECK(cut.what == result::exception);
    const auto thrown =
        std::find_if(cut.findings.begin(), cut.findings.end(),
                     [](const auto& each) { return each.kind == wedge::finding_kind::assertion; });
    REQUIRE(thrown != cut.findings.end());
    REQUIRE(thrown->tasks.size() == 3);
    CHECK(thrown->tasks[0].name == "ab");
    REQUIRE(thrown->tasks[0].wanted);
    CHECK(thrown->tasks[0].wanted->class_name == "a");
    CHECK(!thrown->tasks[2].wanted);
    CHECK(wedge::replay<rash>(thrown->best).findings[0].tasks.size() == 3);
}

TEST_CASE(
    "explore: a task that throws before its first step cuts off the others, so nothing is proved") {
    const wedge::outcome cut = run<rash>("ab | boom", exhaustive::options());
    CHECK(cut.what == result::exception);
    CHECK(!cut.exhausted);
}

TEST_CASE(
    "explore: where a task throws after a step, the search also tries the other tasks there") {
    const wedge::outcome tried = run<rash>("ab | boom_under_b", exhaustive::options());
    CHECK(tried.what == result::exception);
    CHECK(tried.exhausted);
    CHECK(tried.executions > 1);
}

struct stopper {
    static void on(const wedge::outcome&, void* flag) {
        static_cast<std::atomic<bool>*>(flag)->store(true);
    }
};

TEST_CASE("explore: a stopped search keeps its findings") {
    std::atomic<bool> stop{false};
    const wedge::outcome cut = run<abba>("ab | ba", {.how = strategy::random,
                                                     .executions_max = 1'000'000,
                                                     .stop = &stop,
                                                     .on_progress = &stopper::on,
                                                     .progress_data = &stop});
    CHECK(cut.executions < 10'000);
    CHECK(cut.what == result::deadlock);
}

TEST_CASE("explore: a search stops soon after the request, even within a long execution") {
    std::atomic<bool> stop{false};
    wedge::mutex lock("lock");
    const auto work = [&] {
        for (unsigned i = 0; i < 4000; ++i) const wedge::guard held(lock);
    };
    const wedge::outcome cut = wedge::explore({work, work}, {.how = strategy::random,
                                                             .stop = &stop,
                                                             .on_progress = &stopper::on,
                                                             .progress_data = &stop});
    CHECK(cut.executions * 16'000 <= wedge::progress_pace::steps_between + 16'000);
}
