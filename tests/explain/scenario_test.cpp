// Reports as scenarios: which parties they have, and what a plan changes.
#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "explain/roles.hpp"
#include "explain/say.hpp"
#include "explain/scenario_text.hpp"
#include "reading.hpp"

namespace {

using wedge::explain::report;
using wedge::explain::scenario_of;
using wedge::explain::scenario_plan;

report recorded(const std::string& name) {
    return reading::reports(reading::file("kernel/" + name)).at(0);
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("scenario: what is no lock is what it stands for") {
    const std::string work = scenario_of(recorded("gt_20.txt"), {});
    CHECK(has(work, "work wwork {"));
    CHECK(has(work, "    flush wwork"));
    const std::string fence = scenario_of(recorded("gt_07.txt"), {});
    CHECK(has(fence, "notifier range {\n    wait dma_fence_map"));
    CHECK(has(fence, "        reclaim"));
    scenario_plan plain;
    plain.as_plain_locks = true;
    CHECK(has(scenario_of(recorded("gt_20.txt"), plain), "lock wwork mutex"));
    CHECK_FALSE(has(scenario_of(recorded("gt_20.txt"), plain), "flush wwork"));
}

TEST_CASE("scenario: a lock that was only read is read, and a writer is added on demand") {
    const report readers = recorded("gt_03.txt");
    CHECK(wedge::explain::has_only_reads(readers));
    CHECK(has(scenario_of(readers, {}), "read sem_r\n"));
    CHECK_FALSE(has(scenario_of(readers, {}), "writer_of"));
    scenario_plan writers;
    writers.with_writers = true;
    CHECK(has(scenario_of(readers, writers), "thread writer_of_sem_r {\n    lock sem_r\n"));
    CHECK_FALSE(wedge::explain::has_only_reads(recorded("gt_04.txt")));
}

TEST_CASE("scenario: one task that does all is one thread, and two on demand") {
    report one = recorded("gt_01.txt");
    CHECK_FALSE(wedge::explain::has_one_task(one));
    one.edges[0].task = one.edges[1].task;
    CHECK(wedge::explain::has_one_task(one));
    const std::string text = scenario_of(one, {});
    CHECK(text.find("thread ") == text.rfind("thread "));
    scenario_plan two;
    two.with_second_task = true;
    CHECK(has(scenario_of(one, two), " x2 {"));
}

TEST_CASE("scenario: a lock whose function is in all stacks may be a guard") {
    report found = recorded("gt_01.txt");
    CHECK(wedge::explain::guard_of(found).lock.empty());  // sb_writers is only read
    REQUIRE(found.tasks.size() == 1);
    found.tasks[0].held[0].usage = "+.+.";
    found.tasks[0].held[0].wait_type = "3:3";
    CHECK(wedge::explain::guard_of(found).lock == "sb_writers#5");
    CHECK(wedge::explain::guard_of(found).function == "ksys_write");
    scenario_plan guarded;
    guarded.guard = "sb_writers#5";
    CHECK(has(scenario_of(found, guarded), "    lock sb_writers_5\n    lock lock_a\n"));
    found.edges[0].stack = {"elsewhere+0x1/0x2"};
    CHECK(wedge::explain::guard_of(found).lock.empty());
}

TEST_CASE(
    "scenario: an order that a function at boot states is left out, if no document states it") {
    const std::string text = R"(WARNING: possible circular locking dependency detected
5.8.0 #1 Not tainted
------
kswapd0/77 is trying to acquire lock:
ffff888012345678 (&mapping->i_mmap_rwsem){++++}-{3:3}, at: walk+0x10/0x80
but task is already holding lock:
ffffffff82345678 (fs_reclaim){+.+.}-{0:0}, at: enter+0x5/0x30
the existing dependency chain (in reverse order) is:
-> #1 (fs_reclaim){+.+.}-{0:0}:
fs_reclaim_acquire+0x34/0x40
STATES+0x20/0x90
-> #0 (&mapping->i_mmap_rwsem){++++}-{3:3}:
down_read+0x2d/0x110
walk+0x10/0x80
)";
    const auto with = [&](const std::string& function) {
        std::string changed = text;
        changed.replace(changed.find("STATES"), 6, function);
        return reading::reports(changed).at(0);
    };
    CHECK(wedge::explain::has_primed_edge(with("my_prime_lockdep")));
    CHECK(has(scenario_of(with("my_prime_lockdep"), {}), "stated at boot only"));
    scenario_plan primed;
    primed.with_primed = true;
    CHECK_FALSE(has(scenario_of(with("my_prime_lockdep"), primed), "stated at boot only"));
    CHECK_FALSE(wedge::explain::has_primed_edge(with("unmap_something")));  // a task does it
    // dma_fence_map under a notifier is a documented order, though only primed in this report.
    CHECK_FALSE(wedge::explain::has_primed_edge(recorded("gt_07.txt")));
}

TEST_CASE("say: the same report has one signature wherever its cycle begins") {
    report turned = recorded("gt_02.txt");
    const std::string before = wedge::explain::signature_of(turned);
    std::rotate(turned.cycle_locks.begin(), turned.cycle_locks.begin() + 1,
                turned.cycle_locks.end());
    CHECK(wedge::explain::signature_of(turned) == before);
    CHECK(wedge::explain::signature_of(recorded("gt_01.txt")) != before);
}

TEST_CASE("say: names of the input cannot break the text or the picture") {
    report odd = recorded("gt_01.txt");
    odd.task = "evil\x1b[2J\n\"task";
    odd.cycle_locks[0] = odd.edges[0].from = "a\"\\\nb";
    CHECK_FALSE(has(wedge::explain::text_of(odd), "\x1b"));
    CHECK(has(wedge::explain::dot_of(odd), "\"a\\\"\\\\ b\""));
}
