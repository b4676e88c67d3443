#include "wedge/scenario/interrupts.hpp"

#include <doctest/doctest.h>

#include "scenario/read.hpp"

namespace interrupts_test {
namespace {

std::string outcome_of(const std::string& text) {
    return checked(text).what;
}

constexpr const char* completes = "completion over\nhandler device hardirq { complete over }\n";

}  // namespace

TEST_CASE("interrupts: a handler runs on top of a waiting task that has it enabled") {
    const std::string text = completes;
    CHECK(outcome_of(text + "thread t { wait over }\n") == "sound");
    CHECK(outcome_of(text + "thread t { irq off; wait over }\n") == "deadlock");
    CHECK(outcome_of(text + "thread t { irq off; irq on; wait over; irq off }\n") == "sound");
    // These never hang, but sleep with interrupts off.
    CHECK(outcome_of(text + "thread t { bh off; wait over }\n") == "finding");
    CHECK(outcome_of(text + "thread t { hardirq { wait over } }\n") == "deadlock");
}

TEST_CASE("interrupts: another task that has it enabled suffices, until that task ends") {
    const std::string text = std::string(completes) + "semaphore s = 0\n";
    CHECK(outcome_of(text + "thread t { irq off; wait over; up s }\nthread other { down s }\n") ==
          "finding");  // that it sleeps with interrupts off; it never hangs
    CHECK(outcome_of(text + "thread t { irq off; wait over }\nthread other { yield }\n") ==
          "deadlock");
}

TEST_CASE("interrupts: it runs at most once per execution, and never against a mask") {
    CHECK(outcome_of("counter K = 0\nhandler h softirq { add K 1 }\n"
                     "thread t x2 { yield; yield; if K > 1 { assert K == 1 } }\n") == "sound");
    CHECK(outcome_of("counter K = 0\nhandler h softirq { add K 1 }\n"
                     "thread t { assert K == 0 }\n") == "finding");
    CHECK(outcome_of("counter K = 0\nhandler h softirq { add K 1 }\n"
                     "thread t { if K == 0 { assert K == 0 } }\n") == "finding");
}

TEST_CASE("interrupts: the interrupted task goes on only after the handler has ended") {
    const std::string spins = "lock s spinlock\nhandler h hardirq threaded { lock s; unlock s }\n";
    CHECK(outcome_of(spins + "thread t { lock s; unlock s }\n") == "deadlock");
    CHECK(outcome_of(spins + "thread t { irq off; lock s; unlock s; irq on }\n") == "sound");
    CHECK(outcome_of(spins + "thread t { bh off; lock s; unlock s; bh on }\n") == "deadlock");
}

TEST_CASE("interrupts: sections without softirqs nest") {
    const std::string spins = "lock s spinlock\nhandler h softirq { lock s; unlock s }\n";
    CHECK(outcome_of(spins + "thread t { bh off; bh off; bh on; lock s; unlock s; bh on }\n") ==
          "sound");
    CHECK(outcome_of(spins + "thread t { bh off; bh off; bh on; bh on; lock s; unlock s }\n") ==
          "deadlock");
    CHECK(outcome_of(spins + "thread t { softirq { bh off; bh on; lock s; unlock s } }\n") ==
          "sound");
    CHECK(outcome_of(spins + "thread t { bh on; lock s; unlock s }\n") == "deadlock");
    // A loop that only enters sections has finitely many states.
    CHECK(outcome_of("counter k = 0\nthread t { while k == 0 { bh off; preempt off; yield } }\n") ==
          "livelock");
}

TEST_CASE("interrupts: a hardirq interrupts a softirq, but not the reverse") {
    const std::string text =
        "lock s spinlock\ncounter K = 0\n"
        "handler soft softirq { lock s; set K = 1; unlock s }\n"
        "handler hard hardirq threaded { if K == 1 { lock s; unlock s } }\n";
    CHECK(outcome_of(text + "thread t { yield }\n") == "deadlock");
}

TEST_CASE("interrupts: the masks of a handler are restored when it ends") {
    const std::string text =
        "completion over\nhandler first softirq { irq off; irq on; bh off }\n"
        "handler second hardirq { complete over }\nthread t { yield; wait over }\n";
    CHECK(outcome_of(text) == "sound");
}

TEST_CASE(
    "interrupts: a handler of a waiting task holds what that task holds, and takes it again") {
    const std::string thread = "thread t { lock a }\nhandler h hardirq threaded { lock a }\n";
    const auto hang_of = [&](const std::string& kind) {
        return outcome_of("lock a " + kind + "\n" + thread) == "deadlock";
    };
    CHECK_FALSE(hang_of("recursive_mutex"));
    CHECK(hang_of("mutex"));
}

TEST_CASE("interrupts: a mask within a handler protects its task, and no other task") {
    const std::string text =
        "counter j = 0\nhandler h softirq { irq off; set j = 1; yield; set j = 0; irq on }\n"
        "handler i hardirq { assert j == 0 }\n";
    CHECK(outcome_of(text + "thread t { irq off }\n") == "sound");
    CHECK(outcome_of(text + "thread t { yield }\n") == "sound");
    CHECK(outcome_of(text + "thread t { yield }\nthread u { yield }\n") == "finding");
    CHECK(outcome_of("counter j = 0\nhandler h softirq { set j = 1; yield; set j = 0 }\n"
                     "handler i hardirq { assert j == 0 }\nthread t { yield }\n") == "finding");
}

TEST_CASE("interrupts: a waiting task goes on only after the handler on top of it has ended") {
    const std::string text =
        "completion over; counter j = 0\nhandler h softirq { set j = 1; yield; set j = 0 }\n"
        "thread other { complete over }\n";
    CHECK(outcome_of(text + "thread t { wait over; assert j == 0 }\n") == "finding");  // in other
    CHECK(outcome_of("completion over; counter j = 0\n"
                     "handler h softirq { set j = 1; yield; set j = 0 }\n"
                     "thread other { bh off; complete over }\n"
                     "thread t { wait over; bh off; if j == 1 { set j = 0 } else { assert j == 0 } "
                     "}\n") == "sound");
    // The notification comes while the handler runs, and wakes the interrupted waiter.
    CHECK(outcome_of("lock m mutex; condition c; counter k = 0\nhandler h hardirq { yield }\n"
                     "thread t { lock m; while k == 0 { wait c m }; unlock m }\n"
                     "thread u { lock m; irq off; set k = 1; notify c; unlock m }\n") == "sound");
}

TEST_CASE("interrupts: a handler queues behind the interrupted task in the same queue") {
    const std::string text =
        "lock r rwsem\nthread w { lock r; unlock r }\nthread t { irq off; lock r; irq on; unlock "
        "r; "
        "irq off }\n";
    CHECK(outcome_of(text + "handler h hardirq threaded { read r; unlock r }\n") == "deadlock");
    CHECK(outcome_of(text + "handler h hardirq threaded { try read r { unlock r } }\n") ==
          "finding");  // that it sleeps with interrupts off
}

TEST_CASE("interrupts: queueing and flushing stay atomic when a handler does so too") {
    const std::string works = "work w { yield }\n";
    CHECK(outcome_of(works + "thread t { queue w; cancel w }\nhandler h softirq { queue w }\n") ==
          "sound");
    CHECK(outcome_of(works + "thread t { flush w }\nhandler h softirq { cancel w }\n") ==
          "finding");  // a softirq waits; the wait ends
    CHECK(outcome_of(works + "thread t { queue w }\nhandler h softirq { cancel w }\n") ==
          "deadlock");  // the handler runs on top of the worker that runs the work
    CHECK(outcome_of("work w { irq off; irq on }\nthread t { irq off; queue w; irq on }\n"
                     "handler h hardirq threaded { queue w }\n") == "sound");
}

TEST_CASE("interrupts: a handler may come before statements that are no step otherwise") {
    const std::string text = "counter k = 0\nlock a mutex\nhandler h softirq { add k 1; lock a }\n";
    CHECK(outcome_of(text + "thread t { if held a { assert k == 0 } }\n") == "finding");
    CHECK(outcome_of(text + "thread t { bh off; assert k < 1 }\n") == "finding");
    CHECK(outcome_of("completion c\nhandler h softirq { wait c }\nthread t { }\n") == "deadlock");
    CHECK(outcome_of("completion c\nhandler h softirq { wait c }\nthread t { complete c }\n") ==
          "deadlock");
    CHECK(outcome_of("completion c\nhandler h softirq { wait c timeout { } }\nthread t { }\n") ==
          "finding");  // that a softirq waits
}

TEST_CASE("interrupts: the end of an inline context restores the masks") {
    const std::string text = "counter k = 0\nhandler h hardirq { add k 1 }\n";
    CHECK(outcome_of(text + "thread t { hardirq threaded { if k == 0 { assert k == 0 } } }\n") ==
          "sound");
    CHECK(outcome_of(text + "thread t { softirq { if k == 0 { assert k == 0 } } }\n") == "finding");
    CHECK(outcome_of(text + "thread t { hardirq threaded { irq on; irq off }; "
                            "if k == 0 { assert k == 0 } }\n") == "finding");
    CHECK(outcome_of(text +
                     "thread t { irq off; hardirq threaded { yield }; if k == 0 { assert k == 0 "
                     "}; irq on }\n") == "sound");
}

}  // namespace interrupts_test
