// Cycles of the lock order in which a pseudo-lock stands for a wait, and their verdicts.
#include <doctest/doctest.h>

#include "wedge/explore/verdict/verdicts.hpp"

#include "scenario/read.hpp"

namespace waits_in_order_test {

using wedge::finding;
using wedge::finding_kind;
using wedge::verdict;
using wedge::scenario::check_result;

namespace {

const finding& order_finding_of(const check_result& of) {
    for (const finding& each : of.found.findings)
        if (each.kind == finding_kind::circular) return each;
    FAIL("no circular finding");
    return of.found.findings.front();
}

bool is_refuted(const finding& each) {
    return each.judged == verdict::refuted;
}

const char* const ring_and_fence =
    "lock ring mutex\n"
    "fence f\n"
    "thread submit { lock ring; wait f; unlock ring }\n";

}  // namespace

TEST_CASE("waits in order: a wait for a fence under the signaller's lock is confirmed") {
    const check_result stuck =
        checked(ring_and_fence +
                std::string("thread retire { signalling { lock ring; unlock ring; signal f } }\n"));
    CHECK(stuck.what == "deadlock");
    const finding& order = order_finding_of(stuck);
    CHECK(order.judged == verdict::confirmed);
    CHECK(order.tasks.size() == 2);
    CHECK(!order.best.decisions.empty());
    // The repaired twin signals first. The order is still inverted, but cannot hang.
    const check_result repaired =
        checked(ring_and_fence +
                std::string("thread retire { signal f; signalling { lock ring; unlock ring } }\n"));
    CHECK(repaired.what == "sound");
    CHECK(is_refuted(order_finding_of(repaired)));
}

TEST_CASE("waits in order: a hang of other locks does not affect the proof") {
    const check_result mixed = checked(
        "lock ring mutex\nlock x mutex\nlock y mutex\nfence f\n"
        "thread submit { lock ring; wait f; unlock ring }\n"
        "thread retire { signal f; signalling { lock ring; unlock ring } }\n"
        "thread t { lock x; lock y; unlock y; unlock x }\n"
        "thread u { lock y; lock x; unlock x; unlock y }\n");
    CHECK(mixed.what == "deadlock");
    for (const finding& each : mixed.found.findings) {
        CAPTURE(each.signature);
        const bool is_of_fence = each.signature.find("signalling") != std::string::npos;
        CHECK(each.judged == (is_of_fence ? verdict::refuted : verdict::confirmed));
    }
}

TEST_CASE("waits in order: a lock guards nothing if its holder waits for a signal") {
    // One worker: the work that signals the fence is queued behind the work that waits.
    const std::string text =
        "lock a mutex\nfence f\ncounter round = 0\n"
        "work server { if round == 0 { set round = 1; lock a; WAIT; unlock a } else { "
        "signalling { lock a; unlock a; signal f } } }\n"
        "thread t { queue server; until round == 1; queue server }\n";
    const auto with = [&](const char* wait) {
        std::string made = text;
        return checked(made.replace(made.find("WAIT"), 4, wait));
    };
    const check_result stuck = with("wait f");
    CHECK(stuck.what == "deadlock");
    CHECK(order_finding_of(stuck).judged == verdict::confirmed);
    const check_result timed = with("wait f timeout { }");
    CHECK(timed.what == "sound");
    CHECK(is_refuted(order_finding_of(timed)));
}

TEST_CASE("waits in order: a map that stands for a sequence count is confirmed by the spin") {
    const auto with = [](const char* reader) {
        return checked(
            "lock a mutex\nlock seq map\ncounter odd = 0\n"
            "thread writer { read seq; set odd = 1; lock a; unlock a; set odd = 0; unlock seq }\n"
            "thread reader { " +
            std::string(reader) + " }\n");
    };
    const check_result stuck = with("lock a; lock seq; unlock seq; until odd == 0; unlock a");
    CHECK((stuck.what == "livelock" || stuck.what == "deadlock"));
    CHECK(order_finding_of(stuck).judged == verdict::confirmed);
    const check_result repaired = with("lock a; lock seq; unlock seq; unlock a; until odd == 0");
    CHECK(repaired.what == "sound");
    CHECK(is_refuted(order_finding_of(repaired)));
}

TEST_CASE("waits in order: a hang in an interrupt is each of its cycles") {
    // The interrupted task holds the lock, and the item, and waits for the lock.
    const std::string item = "lock l raw_spinlock\nirq_work w { lock l; unlock l }\n";
    const check_result stuck = checked(item + "thread t { queue w; lock l; unlock l }\n");
    CHECK(stuck.what == "deadlock");
    CHECK(stuck.found.findings.size() == 2);
    for (const finding& each : stuck.found.findings) CHECK(each.judged == verdict::confirmed);
    const check_result repaired =
        checked(item + "thread t { queue w; irq off; lock l; unlock l; irq on }\n");
    CHECK(repaired.what == "sound");
    for (const finding& each : repaired.found.findings) CHECK(is_refuted(each));
    // The cycle of an interrupt whose tasks never stand along its edges at once.
    const check_result ordered = checked(
        "lock a raw_spinlock\nlock b raw_spinlock\ncounter done = 0\n"
        "handler h hardirq { lock b; unlock b }\n"
        "thread t { lock a; unlock a; set done = 1 }\n"
        "thread u { irq off; until done == 1; lock b; lock a; unlock a; unlock b; irq on }\n");
    CHECK(ordered.what == "sound");
    REQUIRE(ordered.found.findings.size() == 1);
    CHECK(ordered.found.findings[0].kind == finding_kind::context_inversion);
    CHECK(is_refuted(ordered.found.findings[0]));
}

TEST_CASE(
    "waits in order: a hang is a cycle through an interrupt only if it interrupts the holder") {
    // The interrupt takes the lock itself. The task that was seen with it before is not
    // interrupted.
    const auto judged = [](const std::string& text, finding_kind kind) {
        const check_result all = checked(text);
        CHECK(all.what == "deadlock");
        verdict worst = verdict::refuted;
        bool is_any = false;
        for (const finding& each : all.found.findings) {
            if (each.kind != kind) continue;
            is_any = true;
            worst = each.judged;
        }
        REQUIRE(is_any);
        return worst;
    };
    CHECK(
        judged("lock a spinlock; lock b spinlock; counter go = 0; completion c\n"
               "handler h hardirq threaded { if go == 1 { lock a; lock b; unlock b; unlock a } }\n"
               "thread t { lock a; unlock a; set go = 1; complete c }\n"
               "thread u { wait c; irq off; lock b; lock a; unlock a; unlock b; irq on }\n",
               finding_kind::context_inversion) == verdict::unresolved);
    CHECK(
        judged("lock a raw_spinlock x2 unchecked; completion c\n"
               "thread t { lock a[0]; unlock a[0]; complete c all }\n"
               "thread v { wait c; hardirq { lock a[0]; lock a[1]; unlock a[1]; unlock a[0] } }\n"
               "thread w { wait c; hardirq { lock a[1]; lock a[0]; unlock a[0]; unlock a[1] } }\n",
               finding_kind::inconsistent_context) != verdict::confirmed);
}

TEST_CASE("waits in order: what an interrupted task waits for is not refuted") {
    const check_result all = checked(
        "lock s spinlock; completion f\n"
        "handler h hardirq threaded { lock s; unlock s; complete f }\n"
        "thread t { irq off; lock s; irq on; wait f; irq off; unlock s; irq on }\n");
    CHECK(all.what == "deadlock");
    for (const finding& each : all.found.findings) CHECK(!is_refuted(each));
}

TEST_CASE("waits in order: no cycle of the corpus is refuted although its locks hang") {
    for (const char* file :
         {"scenarios/fence_under_its_lock", "scenarios/fence_alloc_in_signalling",
          "zoo/22_leaked_table_lock", "zoo/32_recovery_allocates_under_gpu_lock",
          "zoo/53_job_allocates", "zoo/55_reset_suspends_console", "zoo/56_recovery_sets_modes",
          "zoo/58_job_under_runtime_power", "zoo/59_core_dump_allocates_noretry",
          "zoo/86_annotated_foreign_lock"}) {
        CAPTURE(file);
        const std::string text =
            text_of_file(std::string(TESTS_DIR "/../corpora/") + file + ".wedge");
        REQUIRE(!text.empty());
        const check_result all = checked(text);
        CHECK(all.what == "deadlock");
        bool is_any_confirmed = false;
        for (const finding& each : all.found.findings) {
            CHECK(!is_refuted(each));
            is_any_confirmed = is_any_confirmed || each.judged == verdict::confirmed;
        }
        // No task is left that waits for the leaked lock.
        CHECK(is_any_confirmed == (std::string(file) != "zoo/22_leaked_table_lock"));
    }
}

}  // namespace waits_in_order_test
