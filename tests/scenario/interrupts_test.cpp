#include "wedge/scenario/interrupts.hpp"

#include <doctest/doctest.h>

#include "scenario/read.hpp"

namespace {

std::string outcome_of(const std::string& text) {
    return checked(text).what;
}

constexpr const char* completes = "completion over\nhandler device hardirq { complete over }\n";

}  // namespace

TEST_CASE("interrupts: a handler comes on top of a task that waits, if it lets it in") {
    const std::string text = completes;
    CHECK(outcome_of(text + "thread t { wait over }\n") == "sound");
    CHECK(outcome_of(text + "thread t { irq off; wait over }\n") == "deadlock");
    CHECK(outcome_of(text + "thread t { irq off; irq on; wait over; irq off }\n") == "sound");
    CHECK(outcome_of(text + "thread t { bh off; wait over }\n") == "sound");
    CHECK(outcome_of(text + "thread t { hardirq { wait over } }\n") == "deadlock");
}

TEST_CASE("interrupts: somebody else who lets it in is enough, while he lives") {
    const std::string text = std::string(completes) + "semaphore s = 0\n";
    CHECK(outcome_of(text + "thread t { irq off; wait over; up s }\nthread other { down s }\n") ==
          "sound");
    CHECK(outcome_of(text + "thread t { irq off; wait over }\nthread other { yield }\n") ==
          "deadlock");
}

TEST_CASE("interrupts: at most once an execution, and never by force") {
    CHECK(outcome_of("counter K = 0\nhandler h softirq { add K 1 }\n"
                     "thread t x2 { yield; yield; if K > 1 { assert K == 1 } }\n") == "sound");
    CHECK(outcome_of("counter K = 0\nhandler h softirq { add K 1 }\n"
                     "thread t { assert K == 0 }\n") == "finding");
    CHECK(outcome_of("counter K = 0\nhandler h softirq { add K 1 }\n"
                     "thread t { if K == 0 { assert K == 0 } }\n") == "finding");
}

TEST_CASE("interrupts: the task below goes on only when the handler has ended") {
    const std::string spins = "lock s spinlock\nhandler h hardirq threaded { lock s; unlock s }\n";
    CHECK(outcome_of(spins + "thread t { lock s; unlock s }\n") == "deadlock");
    CHECK(outcome_of(spins + "thread t { irq off; lock s; unlock s; irq on }\n") == "sound");
    CHECK(outcome_of(spins + "thread t { bh off; lock s; unlock s; bh on }\n") == "deadlock");
}

TEST_CASE("interrupts: a hardirq comes on top of a softirq, not the other way round") {
    const std::string text =
        "lock s spinlock\ncounter K = 0\n"
        "handler soft softirq { lock s; set K = 1; unlock s }\n"
        "handler hard hardirq threaded { if K == 1 { lock s; unlock s } }\n";
    CHECK(outcome_of(text + "thread t { yield }\n") == "deadlock");
}
