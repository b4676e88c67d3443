#include "wedge/scenario/check.hpp"

#include <set>
#include <string>

#include <doctest/doctest.h>

#include "wedge/report/text.hpp"

#include "scenario/read.hpp"
#include "support/trials.hpp"

namespace {

const wedge::finding* find(const wedge::scenario::check_result& in, wedge::finding_kind kind) {
    for (const wedge::finding& each : in.found.findings)
        if (each.kind == kind) return &each;
    return nullptr;
}

}  // namespace

TEST_CASE("check: every scenario of the corpus meets its expectations, and is exhausted") {
    for (const std::string& file : corpus()) {
        CAPTURE(file);
        const auto all = wedge::scenario::parse(text_of_file(file), file);
        const auto result = wedge::scenario::check(all, small_search());
        CHECK(result.is_met);
        CHECK(result.found.exhausted);
    }
}

TEST_CASE("check: the search over states agrees with the search over schedules") {
    for (const std::string& file : wedge::some_of(corpus(), 8)) {
        CAPTURE(file);
        const auto all = wedge::scenario::parse(text_of_file(file), file);
        auto options = small_search();
        const auto by_state = wedge::scenario::check(all, options);
        if (by_state.found.states == 0) continue;
        options.explore.how = wedge::strategy::exhaustive;
        options.explore.executions_max = wedge::trials(2000);
        const auto by_schedule = wedge::scenario::check(all, options);
        if (!by_schedule.found.exhausted) continue;  // too large, or a loop without end
        CHECK(by_state.what == by_schedule.what);
        CHECK(by_state.is_met == by_schedule.is_met);
    }
}

TEST_CASE("check: the outcome says so if a task could have woken up by itself once more") {
    const auto checked = [](const char* waits) {
        const std::string text =
            std::string("lock m mutex\ncondition c\ncounter y = 0\nthread t { lock m; ") + waits +
            "; unlock m }\nthread u { lock m; set y = 1; notify c; unlock m }\n";
        return wedge::scenario::check(wedge::scenario::parse(text, "text"), small_search());
    };
    // Two wake-ups by itself lead to a failed assertion, which is not tried.
    const auto twice = checked("repeat 2 { if y == 0 { wait c m } }; assert y == 1");
    CHECK(twice.what == "sound");
    CHECK(twice.found.has_limited_wakes);
    CHECK(wedge::text_of(twice.found).find("woke up by itself at most once") != std::string::npos);
    const auto once = checked("if y == 0 { wait c m }; unlock m; lock m");
    CHECK(once.what == "sound");
    CHECK_FALSE(once.found.has_limited_wakes);
}

TEST_CASE("check: a confirmed finding has a schedule that deadlocks again") {
    const std::string file = TESTS_DIR "/../corpora/scenarios/shrinker_blocks.wedge";
    const auto all = wedge::scenario::parse(text_of_file(file), file);
    const auto result = wedge::scenario::check(all, small_search());
    const wedge::finding* const found = find(result, wedge::finding_kind::circular);
    REQUIRE(found != nullptr);
    CHECK(found->judged == wedge::verdict::confirmed);
    const wedge::outcome again =
        wedge::scenario::replay(all, found->best, wedge::replay_mode::strict);
    CHECK(again.what == wedge::result::deadlock);
    CHECK(again.diverged == "");
}

TEST_CASE("check: the schedule of an execution that was given up shows its finding again") {
    // The loop leads back to a known state, and the search gives the execution up there.
    const auto all = wedge::scenario::parse(
        "counter k = 0\nlock m mutex\nthread b { unlock m; until k == 1 }\n"
        "thread a { set k = 1 }\n",
        "text");
    const auto result = wedge::scenario::check(all, small_search());
    const wedge::finding* const found = find(result, wedge::finding_kind::unlock_imbalance);
    REQUIRE(found != nullptr);
    const wedge::outcome again =
        wedge::scenario::replay(all, found->best, wedge::replay_mode::strict);
    CHECK(again.diverged.empty());
    REQUIRE(again.findings.size() == 1);
    CHECK(again.findings[0].signature == found->signature);
    wedge::schedule cut = found->best;
    cut.decisions.clear();
    CHECK(wedge::scenario::replay(all, cut, wedge::replay_mode::strict).diverged != "");
}

TEST_CASE("check: a hang names the task that has the processor, and what that task waits for") {
    const auto all = wedge::scenario::parse(
        "lock s seqcount\nlock r seqcount\n"
        "thread low cpu 0 { lock s; unlock s; lock r; unlock r }\n"
        "thread high cpu 0 fifo 50 { choose { read s {} } or { read r {} } }\n",
        "text");
    const auto result = wedge::scenario::check(all, small_search());
    REQUIRE(result.found.findings.size() == 2);
    std::set<std::string> signatures;
    for (const wedge::finding& each : result.found.findings) signatures.insert(each.signature);
    CHECK(signatures == std::set<std::string>{"deadlock processor 0 by low, r by high",
                                              "deadlock processor 0 by low, s by high"});
    CHECK(wedge::text_of(result.found).find("where high runs") != std::string::npos);
}

TEST_CASE("check: a deadlock is confirmed although another one always comes first") {
    const std::string beside = "thread r { lock z; lock z }\n";
    const std::string orders =
        "lock a mutex; lock b mutex; lock z mutex\n"
        "thread p { lock a; lock b; unlock b; unlock a }\n";
    const auto broken =
        checked(orders + "thread q { lock b; lock a; unlock a; unlock b }\n" + beside);
    REQUIRE(find(broken, wedge::finding_kind::circular) != nullptr);
    CHECK(find(broken, wedge::finding_kind::circular)->judged == wedge::verdict::confirmed);
    CHECK(find(broken, wedge::finding_kind::circular)->reached.size() == 2);
    REQUIRE(find(broken, wedge::finding_kind::recursive) != nullptr);
    CHECK(find(broken, wedge::finding_kind::recursive)->judged == wedge::verdict::confirmed);
    const auto gated = checked(
        "lock gate mutex; lock a mutex; lock b mutex; lock z mutex\n"
        "thread p { lock gate; lock a; lock b; unlock b; unlock a; unlock gate }\n"
        "thread q { lock gate; lock b; lock a; unlock a; unlock b; unlock gate }\n" +
        beside);
    REQUIRE(find(gated, wedge::finding_kind::circular) != nullptr);
    CHECK(find(gated, wedge::finding_kind::circular)->judged == wedge::verdict::refuted);
}

TEST_CASE("check: an order seen only in the order pass is refuted by the exploration") {
    const std::string text =
        "lock a mutex; lock b mutex; counter K = 0\n"
        "thread one { lock a; lock b; unlock b; unlock a }\n"
        "thread two { if K == 1 { lock b; lock a; unlock a; unlock b } }\n";
    const auto whole = checked(text);
    CHECK(whole.what == "sound");
    REQUIRE(find(whole, wedge::finding_kind::circular) != nullptr);
    CHECK(find(whole, wedge::finding_kind::circular)->judged == wedge::verdict::refuted);
    auto options = small_search();
    options.is_order_only = true;
    const auto order = wedge::scenario::check(parsed(text), options);
    CHECK(order.what == "finding");
    CHECK(!order.is_met);
    CHECK(order.found.executions == 0);
}

TEST_CASE("check: the order pass walks both branches of a try, and loops 0, 1 and 2 times") {
    auto options = small_search();
    options.is_order_only = true;
    const auto found = [&](const std::string& body) {
        const auto result =
            wedge::scenario::check(parsed("lock a mutex; lock b mutex; condition v; counter K = 0\n"
                                          "thread one { lock a; lock b; unlock b; unlock a }\n"
                                          "thread two { " +
                                          body + " }\n"),
                                   options);
        return find(result, wedge::finding_kind::circular) != nullptr;
    };
    CHECK(found("lock b; lock a; unlock a; unlock b"));
    CHECK(!found("lock b; try lock a { unlock a }; unlock b"));
    CHECK(found("lock b; try lock a { unlock a } else { lock a; unlock a }; unlock b"));
    CHECK(found("lock b; lock a timed { unlock a } else { yield }; unlock b"));
    CHECK(found("choose { yield } or { lock b; lock a; unlock a; unlock b }"));
    CHECK(found("lock b; might lock a; unlock b"));
    CHECK(found("while K == 7 { lock b; while K == 8 { lock a; unlock a }; unlock b }"));
    CHECK(found("alloc 1 GFP_KERNEL else { lock b; lock a; unlock a; unlock b }"));
    CHECK(!found("lock b; try lock b { lock a; unlock a }; unlock b"));
}

TEST_CASE("check: a thread that uses its number is walked once per copy") {
    const auto result = checked(
        "lock fork mutex x3 class fork unchecked\n"
        "thread eat x3 {\n lock fork[self]; lock fork[self+1]; unlock fork[self+1]; "
        "unlock fork[self]\n}\nexpect deadlock\n");
    CHECK(result.what == "deadlock");
    CHECK(result.is_met);
}

TEST_CASE("check: paths that were not walked are a capacity finding") {
    std::string text = "counter K = 0\nthread t {\n";
    for (int i = 0; i < 14; ++i) text += "if K == 0 { yield }\n";
    CHECK(find(checked(text + "}\n"), wedge::finding_kind::capacity) != nullptr);
}

TEST_CASE("check: an endless run is a livelock, or is cut if it has too many states") {
    auto options = small_search();
    options.explore.steps_all_max = 100'000;
    const std::string spins = "counter K = 0\nthread t { until K == 1 }\n";
    CHECK(checked(spins).what == "livelock");
    CHECK(checked(spins + "thread sets { set K = 1 }\n").what == "sound");
    CHECK(checked("counter K = 0\nthread t { while K == 0 { progress } }\n").what == "sound");
    const auto spinning =
        wedge::scenario::check(parsed("memory 1 pages low 0 high 0\ncounter K = 0 local\n"
                                      "thread t x2 { alloc 1 GFP_NOWAIT|NOFAIL }\n"),
                               options);
    CHECK(spinning.what == "livelock");
    const auto silent = wedge::scenario::check(
        parsed("lock a mutex\nthread t { repeat 1000000000 { repeat 1000000000 { } } }\n"),
        options);
    CHECK(silent.what == "unresolved");
}

TEST_CASE(
    "check: a cycle of waits that give up and retry is a livelock, one that waits a deadlock") {
    const std::string backward = "thread backward { lock b; lock a; unlock a; unlock b }\n";
    const auto of = [&](const std::string& forward) {
        return checked("lock a mutex; lock b mutex; counter over = 0\nthread forward { lock a\n" +
                       forward + "\nunlock a }\n" + backward + "expect livelock\n");
    };
    const auto retries = of("while over == 0 { lock b timed { set over = 1; unlock b } else { } }");
    CHECK(retries.what == "livelock");
    CHECK(retries.is_met);
    const auto* const cycle = find(retries, wedge::finding_kind::circular);
    REQUIRE(cycle != nullptr);
    CHECK(cycle->judged == wedge::verdict::confirmed);
    CHECK(cycle->best.circle != 0);
    const auto waits_at_last =
        of("while over < 2 { lock b timed { set over = 2; unlock b } else { choose { } or "
           "{ lock b; set over = 2; unlock b } } }");
    CHECK(waits_at_last.what == "deadlock");
    CHECK(!waits_at_last.is_met);
    CHECK(of("lock b timed { unlock b } else { }").what == "sound");
}

TEST_CASE("check: a bare try ends the run and releases what it took") {
    const auto result = checked(
        "lock a mutex; lock b mutex\n"
        "thread one { lock a; try lock b; unlock b; unlock a }\n"
        "thread two { lock b; yield; unlock b }\n");
    CHECK(result.what == "sound");
}

TEST_CASE("check: assertions, timed waits, joins and timeouts") {
    CHECK(checked("counter K = 0\nthread t x2 { add K 1 }\n"
                  "thread last { join t; assert K == 2 }\n")
              .what == "sound");
    const auto wrong = checked(
        "counter K = 0\nthread t x2 { add K 1 }\n"
        "thread last { assert K == 2 }\nexpect finding assertion\n");
    CHECK(wrong.is_met);
    CHECK(checked("lock a mutex\ncondition v\ncounter K = 0\n"
                  "thread t { lock a; wait v a timeout { set K = 1 }; unlock a }\n")
              .what == "sound");
    CHECK(checked("lock a mutex\ncondition v\nthread t { lock a; wait v a; unlock a }\n").what ==
          "deadlock");
    CHECK(checked("lock a mutex; lock b mutex\n"
                  "thread x1_ { lock a; lock b timed { unlock b } else { }; unlock a }\n"
                  "thread x2_ { lock b; lock a; unlock a; unlock b }\n")
              .what == "sound");
}

TEST_CASE("check: local counters exist once per task") {
    CHECK(checked("counter K = 0 local\nthread t x2 { add K 1; assert K == 1 }\n").what == "sound");
    CHECK(checked("counter K = 0\nthread t x2 { add K 1; assert K == 1 }\n").what == "finding");
}

TEST_CASE("check: the search sees both counters of one step") {
    const auto result = checked(
        "counter A = 0\ncounter B = 1\n"
        "thread one { add A B }\nthread two { add B A }\n"
        "thread last { join one; join two; if A == 1 { assert B == 2 } }\n"
        "expect finding assertion\n");
    CHECK(result.is_met);
}

TEST_CASE("check: expectations") {
    const std::string abba =
        "lock a mutex; lock b mutex\n"
        "thread one { lock a; lock b; unlock b; unlock a }\n"
        "thread two { lock b; lock a; unlock a; unlock b }\n";
    CHECK(!checked(abba).is_met);
    CHECK(checked(abba + "expect deadlock\n").is_met);
    CHECK(!checked(abba + "expect sound\n").is_met);
    CHECK(!checked(abba + "expect finding circular\n").is_met);  // the deadlock is not expected
    CHECK(checked(abba + "expect finding circular\nexpect deadlock\n").is_met);
    CHECK(!checked(abba + "expect deadlock\nexpect finding recursive\n").is_met);
    CHECK(!checked(abba + "expect unresolved\n").is_met);
}

TEST_CASE("check: a class keeps its options over several scenarios of one process") {
    const std::string nested = "thread t { lock a[0]; lock a[1]; unlock a[1]; unlock a[0] }\n";
    CHECK(find(checked("lock a mutex x2\n" + nested), wedge::finding_kind::recursive) != nullptr);
    CHECK(find(checked("lock a mutex x2 unchecked\n" + nested), wedge::finding_kind::recursive) ==
          nullptr);
    CHECK(find(checked("lock a mutex x2\n" + nested), wedge::finding_kind::recursive) != nullptr);
    CHECK(checked("lock zone mutex\nmemory 4 pages low 0 high 0\n"
                  "thread t { lock zone; lock zone }\nexpect deadlock\n"
                  "expect finding recursive\n")
              .is_met);
}

TEST_CASE("check: the search can be stopped") {
    const std::atomic<bool> stop{true};
    auto options = small_search();
    options.explore.stop = &stop;
    const auto result =
        wedge::scenario::check(parsed("lock a mutex\nthread t { lock a }\n"), options);
    CHECK(result.what == "unresolved");
    options.is_order_only = true;
    CHECK(wedge::scenario::check(parsed("thread t { yield }\n"), options).what == "unresolved");
}

TEST_CASE("check: choices before the first step make several initial states") {
    const auto outcome_of = [](const std::string& other) {
        const auto result = checked("counter k = 0\nthread spin { until k == 1 }\nthread other { " +
                                    other + " }\n");
        CHECK(result.found.exhausted);
        CHECK(result.found.executions != 0);  // an execution ends, or shows that it never ends
        return result.what;
    };
    CHECK(outcome_of("choose { yield } or { }") == "livelock");
    CHECK(outcome_of("choose { set k = 1 } or { yield }") == "livelock");
    CHECK(outcome_of("choose { yield } or { set k = 1 }") == "livelock");
    CHECK(outcome_of("choose { yield } or { }; set k = 1") == "sound");
}

TEST_CASE("check: a handler that spins on top of the only task that could end it never ends") {
    const auto outcome_of = [](const std::string& handler, const std::string& writer) {
        return checked("counter odd = 0; lock l raw_spinlock\nhandler timer " + handler +
                       "\nthread writer { " + writer + " }\n")
            .what;
    };
    const std::string sets = "set odd = 1; set odd = 0";
    CHECK(outcome_of("hardirq threaded { until odd == 0 }", sets) == "livelock");
    CHECK(outcome_of("softirq { until odd == 0 }", sets) == "livelock");
    CHECK(outcome_of("hardirq { while odd == 1 { yield } }", sets) == "livelock");
    CHECK(outcome_of("hardirq { while odd == 1 { yield } }", "lock l; " + sets + "; unlock l") ==
          "livelock");
    CHECK(outcome_of("hardirq { until odd == 0 }", "irq off; " + sets + "; irq on") == "sound");
    CHECK(outcome_of("softirq { until odd == 0 }", "bh off; " + sets + "; bh on") == "sound");
}

TEST_CASE("check: other tasks may wait for the release of a failed try") {
    const std::string head = "lock a rwsem\nthread t1 { lock a; try lock a }\nthread t0 { ";
    CHECK(checked(head + "lock a timed { unlock a } else "
                         "{ read a timed { lock a } else { } } }\n")
              .what == "deadlock");
    CHECK(checked(head + "lock a timed { unlock a } else "
                         "{ read a timed { unlock a } else { } } }\n")
              .what == "sound");
}

TEST_CASE("check: after a failed assertion the search goes on with other executions") {
    const std::string fails = "counter k = 0\nthread bad { choose { assert k == 1 } or { } }\n";
    const auto spins = checked(fails + "thread spin { until k == 1 }\n");
    CHECK(spins.what == "livelock");
    CHECK(spins.found.exhausted);
    CHECK(find(spins, wedge::finding_kind::assertion) != nullptr);
    CHECK(checked(fails + "lock a mutex\nthread twice { lock a; lock a }\n").what == "deadlock");
    CHECK(checked(fails + "thread sets { set k = 1 }\n").what == "finding");
    // The assertion fails in the end, which ends the execution.
    CHECK(checked("counter k = 0\nthread bad { assert k == 1 }\nthread spin { until k == 1 }\n")
              .what == "finding");
    CHECK(checked("counter k = 0\nthread sets { set k = 1; assert k == 1 }\n").what == "sound");
}

TEST_CASE("check: an assertion that fails in each copy of a thread is one finding") {
    const auto copies = [](const std::string& rest) {
        return checked("counter users = 0\nthread open x2 { add users 1; assert users == 1" + rest +
                       " }\n");
    };
    const auto once = copies("");
    REQUIRE(once.found.findings.size() == 1);
    CHECK(once.found.findings[0].signature ==
          "assertion open threw: the assertion users == 1 does not hold");
    CHECK(copies("\nadd users -1; assert users == 0").found.findings.size() == 2);
}

TEST_CASE("check: an exception of a work is named after the work") {
    const auto result = checked(
        "counter n = 0\nwork job { add n 1; assert n < 2; queue job }\nthread t { queue job }\n");
    REQUIRE(result.found.findings.size() == 1);
    CHECK(result.found.findings[0].signature ==
          "assertion job threw: the assertion n < 2 does not hold");
}

TEST_CASE("check: the kept states are bounded, and the outcome says so") {
    const std::string counts = "counter k = 0\nthread counts { while 1 == 1 { add k 1 } }\n";
    auto options = small_search();
    options.explore.steps_max = 10'000;
    options.explore.states_max = 1000;
    const auto result = wedge::scenario::check(parsed(counts), options);
    CHECK(result.what == "unresolved");
    CHECK(result.found.reason.find("states") != std::string::npos);
    CHECK(!result.found.exhausted);
}

TEST_CASE(
    "check: a lock that its holder takes again may be taken by others before the first time") {
    auto options = small_search();
    options.explore.how = wedge::strategy::exhaustive;
    const auto nested = parsed(
        "lock a recursive_mutex\nthread t0 { lock a; lock a; unlock a; unlock a }\n"
        "thread t2 { lock a }\n");
    CHECK(wedge::scenario::check(nested, options).what == "deadlock");
}

TEST_CASE("check: a task that never ends is not held-at-exit") {
    const std::string head = "lock a mutex; counter k = 0\nthread t { lock a; ";
    for (const char* const loop : {"while 1 == 1 { }", "until 1 == 0", "while 1 == 1 { yield }"}) {
        const auto endless = checked(head + loop + " }\n");
        CHECK(endless.what == "livelock");
        CHECK(find(endless, wedge::finding_kind::held_at_exit) == nullptr);
    }
    CHECK(find(checked(head + "while 1 == 1 { break } }\n"), wedge::finding_kind::held_at_exit) !=
          nullptr);
    CHECK(find(checked(head + "while 1 == 0 { unlock a } }\n"),
               wedge::finding_kind::held_at_exit) != nullptr);
    // Whether this loop ends is known only when every schedule was tried.
    const auto refuted = checked(head + "until k == 1 }\n");
    const auto* const held = find(refuted, wedge::finding_kind::held_at_exit);
    REQUIRE(held != nullptr);
    CHECK(held->judged == wedge::verdict::refuted);
    CHECK(held->reason == "every schedule was tried, and no task ended so");
}

TEST_CASE(
    "check: a livelock names the tasks that retry, what they retry, and the tasks that wait") {
    const auto what_of = [](const std::string& text) {
        const auto result = checked("counter odd = 0; counter even = 0; lock a mutex\n" + text);
        CHECK(result.what == "livelock");
        const wedge::finding* const found = find(result, wedge::finding_kind::livelock);
        return found == nullptr ? "none" : found->what;
    };
    CHECK(what_of("thread spin { until odd == 1 }\nthread twice { lock a; lock a }\n") ==
          "tasks retry forever: spin looks at odd (counter), twice waits for a");
    CHECK(what_of("thread one { until odd == 1; set even = 1 }\n"
                  "thread other { while even == 0 { yield }; set odd = 1 }\n") ==
          "tasks retry forever: one looks at odd (counter), other looks at even (counter)");
    CHECK(what_of("thread spin { while odd != 1 { yield } }\n"
                  "thread other { choose { set odd = 1 } or { yield } }\n") ==
          "tasks retry forever: spin looks at odd (counter)");
    CHECK(what_of("thread t { while 1 == 1 { } }\n") == "tasks retry forever: t runs on");
}

TEST_CASE(
    "exhaustive: a failed assertion ends its execution only, and the search tries all others") {
    const auto explored = [](const std::string& text) {
        wedge::explore_options options = small_search().explore;
        options.how = wedge::strategy::exhaustive;
        return wedge::scenario::explore(parsed(text), options);
    };
    const wedge::outcome fails =
        explored("counter k = 0\nthread t { assert k == 1 }\nthread u { set k = 1 }\n");
    CHECK(fails.exhausted);
    REQUIRE(fails.findings.size() == 1);
    CHECK(fails.findings[0].kind == wedge::finding_kind::assertion);
    CHECK(explored("counter k = 1\nthread t { assert k == 1 }\nthread u { set k = 1 }\n").what ==
          wedge::result::sound);

    const std::string locks = "counter k = 0\nlock a mutex\nlock b mutex\n";
    // The deadlock comes after the assertion, or in another task.
    CHECK(explored(locks + "thread t { assert k == 1; lock a; lock b; unlock b; unlock a }\n"
                           "thread u { set k = 1; lock b; lock a; unlock a; unlock b }\n")
              .what == wedge::result::deadlock);
    CHECK(explored(locks + "thread t { choose { assert k == 1 } or { } }\n"
                           "thread u { lock a; lock b; unlock b; unlock a }\n"
                           "thread v { lock b; lock a; unlock a; unlock b }\n")
              .what == wedge::result::deadlock);
    // v waits for a lock that t never releases, since the assertion in t always fails.
    CHECK(explored(locks + "thread t { lock a; assert k == 1; unlock a }\n"
                           "thread v { lock a; lock b; yield; lock b }\n")
              .what == wedge::result::deadlock);
    const wedge::outcome ordered = explored(locks +
                                            "thread t { lock a; assert k == 1; unlock a }\n"
                                            "thread v { lock a; lock b; unlock b; unlock a }\n");
    CHECK(ordered.exhausted);
    CHECK(ordered.what != wedge::result::deadlock);
}
