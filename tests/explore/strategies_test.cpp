#include <doctest/doctest.h>

#include "wedge/core/sanitizer.hpp"
#include "wedge/core/schedule_text.hpp"
#include "wedge/explore/engine/controller.hpp"
#include "wedge/explore/engine/subject.hpp"
#include "wedge/explore/search/make_strategy.hpp"

#include "explore/workloads.hpp"
#include "report/golden.hpp"
#include "support/trials.hpp"

namespace strategies_test {
using namespace workloads;
using wedge::result;
using wedge::strategy;

namespace {

constexpr strategy all_strategies[] = {strategy::portfolio, strategy::random, strategy::pct,
                                       strategy::pos,       strategy::urw,    strategy::surw,
                                       strategy::exhaustive};

template <strategy How>
struct under {
    static constexpr strategy how = How;
};

template <class W>
wedge::outcome tried(const wedge::program& what, wedge::explore_options options) {
    return wedge::explore<W>(what, options);
}

/// Returns the number of executions until the first deadlock. The order checker is off.
template <class W>
std::uint64_t executions_to_deadlock(const wedge::program& what, wedge::explore_options options) {
    wedge::workload_subject subject(wedge::type_of<W>, what);
    wedge::controller control(subject, options.on, nullptr, options.steps_max);
    const std::vector<std::uint32_t> no_cycle;
    const auto how = make_strategy(subject, options, no_cycle);
    for (std::uint64_t i = 1; i <= options.executions_max && how->new_execution(); ++i)
        if (control.run(*how).how == wedge::ending::deadlock) return i;
    return 0;
}

const wedge::program staggered = wedge::parse_program("ab | late(1)");
const wedge::program staggered_in_order = wedge::parse_program("ab | late");
const wedge::program gated = wedge::parse_program("ab | open | maybe_ba");

}  // namespace

TEST_CASE_TEMPLATE("strategies: each finds the bugs of the small workloads within its bound", How,
                   under<strategy::portfolio>, under<strategy::random>, under<strategy::pct>,
                   under<strategy::pos>, under<strategy::urw>, under<strategy::surw>,
                   under<strategy::exhaustive>) {
    const wedge::explore_options options{.how = How::how, .executions_max = 5'000};
    CAPTURE(wedge::strategy_names[static_cast<std::size_t>(How::how)]);
    // A random walk spends hundreds of steps in the late task, and the early task has ended by
    // then.
    if (How::how != strategy::random && How::how != strategy::urw)
        CHECK(executions_to_deadlock<staggered_abba>(staggered, options) != 0);
    CHECK(executions_to_deadlock<gated_abba>(gated, options) != 0);
    CHECK(executions_to_deadlock<table<5>>(table<5>::all(), options) != 0);
    wedge::explore_options in_order = options;
    in_order.executions_max = wedge::trials(5'000);
    CHECK(executions_to_deadlock<staggered_abba>(staggered_in_order, in_order) == 0);
    CHECK(executions_to_deadlock<table<5>>(table<5>::all("eat_in_order"), in_order) == 0);
}

TEST_CASE(
    "strategies: each confirms the philosophers' deadlock, and finds none in the repaired twin") {
    for (const strategy how : all_strategies) {
        const wedge::outcome found =
            tried<table<5>>(table<5>::all(), {.how = how, .executions_max = 2000});
        CAPTURE(wedge::strategy_names[static_cast<std::size_t>(how)]);
        CHECK(found.what == result::deadlock);
        CHECK(!found.best.decisions.empty());
        CHECK(wedge::replay<table<5>>(found.best).what == result::deadlock);
        const wedge::outcome sound =
            tried<table<5>>(table<5>::all("eat_in_order"), {.how = how, .executions_max = 200});
        CHECK(sound.what == (sound.exhausted ? result::sound : result::finding));
    }
}

TEST_CASE("portfolio: small workloads are exhausted") {
    const wedge::outcome sound = tried<table<5>>(table<5>::all("eat_in_order"), {});
    CHECK(sound.exhausted);
    CHECK(sound.executions < 100);
}

TEST_CASE("portfolio: a proof counts only the executions of the exhaustive search") {
    std::vector<std::unique_ptr<wedge::search_strategy>> others;
    others.push_back(std::make_unique<wedge::random_walk>(1));
    wedge::portfolio both(std::make_unique<wedge::exhaustive_search>(), std::move(others));
    CHECK(both.new_execution());
    CHECK(both.counts_for_proof());
    CHECK(both.new_execution());
    CHECK(!both.counts_for_proof());
}

TEST_CASE("exhaustive: begins no redundant execution if tasks share only locks") {
    const wedge::explore_options all{.how = strategy::exhaustive};
    CHECK(tried<table<3>>(table<3>::all(), all).pruned == 0);
    CHECK(tried<table<5>>(table<5>::all(), all).pruned == 0);
}

TEST_CASE("exhaustive: with a limit of preemptions, says whether the limit cut anything") {
    const wedge::program inverted = wedge::parse_program("ab | ba");
    const auto bounded = [&](std::uint32_t preemptions) {
        return tried<abba>(inverted, {.how = strategy::exhaustive, .preemptions_max = preemptions});
    };
    CHECK(!bounded(0).exhausted);
    CHECK(bounded(1).what == result::deadlock);
    CHECK(bounded(20).exhausted);
}

TEST_CASE("livelock: philosophers that put down and retry livelock, ordered philosophers do not") {
    for (const strategy how : {strategy::round_robin, strategy::portfolio}) {
        const wedge::outcome found = tried<table<3>>(
            table<3>::all("retry"), {.how = how, .executions_max = 500, .steps_max = 1000});
        CHECK(found.what == result::livelock);
        REQUIRE(found.findings.size() >= 1);
        const auto circle = std::find_if(
            found.findings.begin(), found.findings.end(),
            [](const auto& each) { return each.kind == wedge::finding_kind::livelock; });
        REQUIRE(circle != found.findings.end());
        CHECK(circle->judged == wedge::verdict::observed);
        CHECK(circle->tasks.size() == 3);
        CHECK(circle->best.circle != 0);
        CHECK(circle->best.decisions.size() < 20);
        const wedge::schedule saved = wedge::parse_schedule(to_string(circle->best));
        const wedge::outcome again = wedge::replay<table<3>>(saved);
        CHECK(again.what == result::livelock);
        CHECK(again.diverged.empty());
        REQUIRE(again.findings.size() == 1);
        CHECK(to_string(again.findings[0].best) == to_string(saved));
        const wedge::explore_options few{.how = how, .executions_max = 60, .steps_max = 1000};
        CHECK(tried<table<3>>(table<3>::all("retry_in_order"), few).what == result::unresolved);
    }
}

TEST_CASE(
    "livelock: an endless loop is a livelock, a loop that gives up after many tries is none") {
    const auto circling = [](const char* text) {
        const wedge::outcome tried = wedge::explore<patience>(
            wedge::parse_program(text),
            {.how = strategy::round_robin, .executions_max = 20, .steps_max = 2000});
        return tried.what == result::livelock;
    };
    CHECK(circling("hold_while_wanted | insist"));
    CHECK(!circling("hold_while_wanted | try_often"));
    CHECK(circling("hold_while_wanted | wait_again_and_again"));
    CHECK(circling("wait_for(0) | wait_for(1)"));
    CHECK(circling("wait_for(0) | wait_for(0) | wait_for(1)"));
    CHECK(circling("yield_for(0)"));
    CHECK(!circling("wait_for(0) | set(0)"));
    CHECK(!circling("yield_for(0) | set(0)"));
    CHECK(!circling("count"));
}

TEST_CASE("livelock: a loop until a flag is set is no livelock, and no search of it hangs") {
    for (const char* const text :
         {"spin | set", "spin_with_try | set", "spin_with_try | spin_with_try | set"}) {
        CAPTURE(text);
        const wedge::outcome found = tried<spinners>(
            wedge::parse_program(text),
            {.executions_max = wedge::trials(100), .steps_max = wedge::trials(20'000)});
        CHECK(found.findings.empty());
        CHECK(found.what == result::unresolved);
    }
}

TEST_CASE("strategies: a task may end with a failed try") {
    for (const strategy how : all_strategies) {
        const wedge::outcome ended = tried<spinners>(wedge::parse_program("try_once | set"),
                                                     {.how = how, .executions_max = 50});
        CHECK(ended.findings.empty());
    }
}

TEST_CASE("livelock: a lone timed wait is not a livelock") {
    CHECK(tried<hand_over>(wedge::parse_program("wait_for_a_while"),
                           {.how = strategy::round_robin, .executions_max = 100})
              .findings.empty());
}

TEST_CASE("jobs: the outcome is equal for every number of jobs") {
    const auto text = []<class W>(const W*, const wedge::program& what,
                                  wedge::explore_options options) {
        const wedge::outcome found = tried<W>(what, options);
        std::string all = std::string(name_of(found.what)) + " " +
                          std::to_string(found.executions) + " " + std::to_string(found.pruned) +
                          " " + std::to_string(found.steps) + "\n";
        for (const wedge::finding& each : found.findings)
            all += each.what + "\n" + each.signature + " " + name_of(each.judged) + " " +
                   each.reason + "\n" + to_string(each.best);
        return all + to_string(found.best);
    };
    const auto check_same = [&]<class W>(const W* of, const wedge::program& what,
                                         wedge::explore_options options) {
        const std::string one = text(of, what, options);
        for (const std::uint32_t jobs : {2U, 3U}) {
            options.jobs = jobs;
            CHECK(text(of, what, options) == one);
        }
        return one;
    };
    const auto has = [](const std::string& all, const char* part) {
        return all.find(part) != std::string::npos;
    };
    CHECK(
        has(check_same(static_cast<gated_abba*>(nullptr), gated,
                       {.how = strategy::pct, .executions_max = 4200}),  // the searches of two jobs
            "confirmed"));
    CHECK(has(check_same(static_cast<gated_abba*>(nullptr), gated,
                         {.executions_max = 100, .steps_all_max = 1000}),
              "confirmed"));
    CHECK(has(
        check_same(static_cast<patience*>(nullptr), wedge::parse_program("wait_for | wait_for(1)"),
                   {.executions_max = 60, .steps_max = 200}),
        "livelock"));
    CHECK(has(check_same(static_cast<table<5>*>(nullptr), table<5>::all("eat_in_order"), {}),
              "sound"));
    CHECK_THROWS_AS(tried<abba>(wedge::parse_program("ab | typo"), {.jobs = 2}), wedge::error);
}

TEST_CASE("jobs: the seen locks do not depend on the division of executions among jobs") {
    for (const std::uint32_t jobs : {1U, 2U}) {
        const wedge::outcome found =
            tried<abba>(wedge::parse_program("ab | ab"),
                        {.how = strategy::random, .executions_max = 5000, .jobs = jobs});
        CHECK(found.what == result::unresolved);
        CHECK(found.has_modelled_state);
    }
}

TEST_CASE("strategies: equal seeds take equal steps with every compiler") {
    std::string text;
    for (std::size_t how = 0; how <= static_cast<std::size_t>(strategy::exhaustive); ++how) {
        text += std::string(wedge::strategy_names[how]) + ":";
        wedge::workload_subject subject(wedge::type_of<table<3>>, table<3>::all("retry"));
        wedge::controller control(subject, wedge::substrate::automatic, nullptr, 200);
        const std::vector<std::uint32_t> no_cycle;
        const auto search =
            wedge::make_strategy(subject, {.how = static_cast<strategy>(how), .seed = 7}, no_cycle);
        for (int i = 0; i < 9 && search->new_execution(); ++i) {
            control.run(*search);
            text += " ";
            for (const wedge::decision& each : control.decisions())
                text += std::to_string(each.value);
        }
        text += "\n";
    }
    check_golden("strategies.txt", text);
}

TEST_CASE("strategies: equal seeds give equal outcomes with every compiler") {
    if (wedge::sanitizer::any) return;  // compilers are compared without a sanitizer
    std::string text;
    const auto add = [&](const wedge::outcome& of) {
        text += std::string("  ") + name_of(of.what) + ", " + std::to_string(of.executions) +
                " executions, " + std::to_string(of.steps) + " steps\n";
        for (const wedge::finding& each : of.findings) {
            wedge::schedule best = each.best;
            best.signature.clear();  // it contains lines of source files
            text += std::string(name_of(each.kind)) + " " + name_of(each.judged) + " " +
                    each.reason + "\n" + to_string(best);
        }
    };
    for (const strategy how :
         {strategy::portfolio, strategy::random, strategy::pct, strategy::pos, strategy::urw,
          strategy::surw, strategy::round_robin, strategy::exhaustive}) {
        text += std::string(wedge::strategy_names[static_cast<std::size_t>(how)]) + "\n";
        const wedge::explore_options few{
            .how = how, .seed = 5, .executions_max = 100, .steps_max = 300};
        add(tried<gated_abba>(gated, few));
        add(tried<patience>(wedge::parse_program("wait_for(0) | wait_for(1)"), few));
        add(tried<account>(wedge::parse_program("split | split"), few));
    }
    check_golden("outcomes.txt", text);
}

}  // namespace strategies_test
