#include "wedge/report/text.hpp"

#include <doctest/doctest.h>

#include "report/golden.hpp"
#include "report/sample_findings.hpp"

namespace {

const std::string replay = "./bank replay transfer-7f3a21bc.schedule";

}  // namespace

TEST_CASE("text: a confirmed cycle shows both sites of every edge, the hang, and the replay") {
    check_golden("circular_confirmed.txt",
                 wedge::text_of(samples::circular(wedge::verdict::confirmed), replay));
}

TEST_CASE("text: a cycle under a guard is refuted, and the heading says so") {
    check_golden("circular_refuted.txt", wedge::text_of(samples::refuted_by_guard()));
}

TEST_CASE("text: an unresolved cycle is called possible, with every grade as a sentence") {
    check_golden("circular_unresolved.txt", wedge::text_of(samples::graded()));
}

TEST_CASE("text: a deadlock that was reached shows what each task holds, wants, and from whom") {
    check_golden("deadlock_of_three.txt", wedge::text_of(samples::deadlock_of_three(), replay));
}

TEST_CASE("text: a deadlock without locks says what the tasks wait for") {
    check_golden("lost_wakeup.txt", wedge::text_of(samples::lost_wakeup(), replay));
}

TEST_CASE("text: a lock within itself hangs alone, within another lock of its class in a pair") {
    check_golden("recursive_same.txt", wedge::text_of(samples::nested(1, 1)));
    check_golden("recursive_pair.txt", wedge::text_of(samples::nested(1, 2)));
}

TEST_CASE("text: a recursive finding that hung shows the cycle that hung, not the pair") {
    wedge::finding found = samples::nested(1, 2);
    found.judged = wedge::verdict::confirmed;
    found.tasks = samples::deadlock_of_three().tasks;
    const std::string text = wedge::text_of(found);
    CHECK(text.find("eat(2)") != std::string::npos);
    CHECK(text.find("transfer'") == std::string::npos);
    CHECK(text.find("lock(fork[3])") != std::string::npos);
}

TEST_CASE("text: a broken rule names the task, the lock and the place") {
    check_golden("unlock_imbalance.txt", wedge::text_of(samples::unlock_imbalance(), replay));
}

TEST_CASE("text: a table wider than a terminal becomes a list") {
    wedge::finding found;
    found.kind = wedge::finding_kind::circular;
    for (std::uint32_t i = 0; i < 7; ++i) {
        const auto lock = [](std::uint32_t n) {
            return samples::use("lock" + std::to_string(n % 7), n % 7 + 1, n % 7 + 10);
        };
        found.cycle.push_back(
            {lock(i), lock(i + 1), "a task with a name " + std::to_string(i), false});
    }
    const std::string text = wedge::text_of(found);
    std::size_t start = 0;
    for (std::size_t end; (end = text.find('\n', start)) != std::string::npos; start = end + 1)
        if (start != 0) CHECK(end - start <= 100);  // the heading is as long as its cycle
    const char* const row =
        "    a task with a name 6    lock(lock0)    waits for a task with a name 0\n";
    CHECK(text.find(row) != std::string::npos);
}

TEST_CASE("text: an exception has a heading and a verdict") {
    wedge::finding found;
    found.kind = wedge::finding_kind::assertion;
    found.judged = wedge::verdict::observed;
    found.what = "the balance is -3";
    CHECK(wedge::text_of(found) ==
          "assertion: the balance is -3\n\n  verdict  observed: it happened\n");
}

TEST_CASE("text: no finding is called possible after it has happened") {
    for (const auto judged : {wedge::verdict::confirmed, wedge::verdict::observed})
        CHECK(wedge::text_of(samples::circular(judged)).find("possible") == std::string::npos);
    CHECK(wedge::text_of(samples::circular(wedge::verdict::unresolved))
              .starts_with("possible deadlock: "));
    CHECK(wedge::text_of(samples::circular(wedge::verdict::refuted))
              .starts_with("refuted order inversion: "));
}

TEST_CASE("text: a run ends with one line that says how much was tried") {
    wedge::outcome all;
    all.executions = 12;
    all.pruned = 3;
    all.steps = 96;
    CHECK(wedge::text_of(all) ==
          "unresolved: no findings; 12 executions, 3 pruned, 96 steps; not every schedule was "
          "tried\n");
    all.bounded = true;
    CHECK(wedge::text_of(all).find("cut at the bound of steps") != std::string::npos);
    all.bounded = false;
    all.exhausted = true;
    all.what = wedge::result::sound;
    all.findings = {samples::refuted_by_guard()};
    check_golden("outcome_sound.txt", wedge::text_of(all));
    all.what = wedge::result::deadlock;
    all.findings = {samples::circular(wedge::verdict::confirmed), samples::unlock_imbalance()};
    check_golden("outcome_deadlock.txt", wedge::text_of(all, {replay, ""}));
    all.has_modelled_state = false;
    CHECK(wedge::text_of(all).find("touched no lock") != std::string::npos);
}
