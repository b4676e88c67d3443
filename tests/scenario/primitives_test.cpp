// Statements for reference counts and wait queues: the order pass, both searches, and mistakes.
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "wedge/core/rng.hpp"

#include "scenario/read.hpp"
#include "support/trials.hpp"

namespace primitives_test {
namespace {

using wedge::finding;
using wedge::finding_kind;
using wedge::verdict;
using wedge::scenario::check_result;

check_result order_of(const std::string& text) {
    wedge::scenario::check_options options = small_search();
    options.is_order_only = true;
    return wedge::scenario::check(parsed(text), options);
}

bool has(const check_result& of, finding_kind kind) {
    return std::ranges::any_of(of.found.findings,
                               [&](const finding& each) { return each.kind == kind; });
}

std::string error_of(const std::string& text) {
    try {
        static_cast<void>(parsed(text));
    } catch (const wedge::error& wrong) {
        return wrong.what();
    }
    return "no error";
}

/// Checks that the searches over states and over schedules agree.
///
/// @return the outcome, or "too large"
std::string agreed(const std::string& text, std::uint64_t executions = 4000) {
    CAPTURE(text);
    const wedge::scenario::document all = parsed(text);
    wedge::scenario::check_options options = small_search();
    options.explore.executions_max = executions;
    const check_result by_state = wedge::scenario::check(all, options);
    CHECK(by_state.found.states != 0);
    options.explore.how = wedge::strategy::exhaustive;
    const check_result by_schedule = wedge::scenario::check(all, options);
    if (!by_state.found.exhausted || !by_schedule.found.exhausted) return "too large";
    CHECK(by_state.what == by_schedule.what);
    const auto verdicts = [](const check_result& of) {
        std::map<finding_kind, std::vector<verdict>> kinds;
        for (const finding& each : of.found.findings) kinds[each.kind].push_back(each.judged);
        for (auto& [kind, judged] : kinds) std::ranges::sort(judged);
        return kinds;
    };
    CHECK(verdicts(by_state) == verdicts(by_schedule));
    return by_state.what;
}

/// Small scenarios of references and queues.
class generator {
public:
    explicit generator(std::uint64_t seed) : random_(seed) {}

    std::string text() {
        std::string all = "lock a mutex\ncounter K = 0\nwait_queue q\nrefcount r = " +
                          std::to_string(1 + random_.below(2)) + " { " +
                          pick({"lock a; unlock a", "add K 1", "wake q", "wake q all"}) + " }\n";
        for (unsigned i = 0; i < 2; ++i) {
            all += "thread t" + std::to_string(i) + (random_.below(4) == 0 ? " x2" : "") + " {\n";
            for (unsigned steps = 1 + random_.below(2); steps > 0; --steps) all += step();
            all += "}\n";
        }
        return all;
    }

private:
    std::string pick(const std::vector<std::string>& among) {
        return among[random_.below(static_cast<std::uint32_t>(among.size()))];
    }
    std::string step() {
        const std::string inner =
            pick({"put r", "lock a\nput r\nunlock a", "wake q", "set K = 1", "set K = 1\nwake q",
                  "try get r { put r }", "wait q until K == 1", "wait q exclusive until K == 1",
                  "wait q until K == 1 timeout { set K = 1 }",
                  "wait q until K == 1 interrupted { yield }", "set K = 1\nwake q all"});
        return random_.below(4) == 0 ? "lock a\n" + inner + "\nunlock a\n" : inner + "\n";
    }

    wedge::rng random_;
};

}  // namespace

TEST_CASE("primitives: the order pass sees the release body at every put") {
    const std::string count = "lock a mutex\nlock b mutex\nrefcount r = 2 { lock b; unlock b }\n";
    const check_result inverted = order_of(
        count +
        "thread t { lock a; put r; unlock a }\nthread u { lock b; lock a; unlock a; unlock b }\n");
    CHECK(has(inverted, finding_kind::circular));
    const check_result twice = order_of(count + "thread t { lock b; put r; unlock b }\n");
    CHECK(has(twice, finding_kind::recursive));
    CHECK(order_of(count + "thread t { lock a; unlock a; put r }\n").found.findings.empty());
    const check_result asleep =
        order_of("lock s spinlock\n" + count + "thread t { lock s; put r; unlock s }\n");
    CHECK(has(asleep, finding_kind::wait_type));
    const check_result in_interrupt =
        order_of(count + "handler h softirq { put r }\nthread t { yield }\n");
    CHECK(has(in_interrupt, finding_kind::wait_type));
}

TEST_CASE("primitives: release bodies that put each other's object end the order pass") {
    const check_result circle =
        order_of("refcount r { put s }\nrefcount s { put r }\nthread t { put r }\n");
    CHECK(circle.what == "finding");
    CHECK(has(circle, finding_kind::circular));
}

TEST_CASE("primitives: only the last put runs the body, in the context of its task") {
    const std::string count = "counter gone = 0\nrefcount r = 2 { add gone 1 }\n";
    CHECK(agreed(count + "thread t x2 { put r }\nthread u { join t; assert gone == 1 }\n") ==
          "sound");
    CHECK(agreed(count + "thread t { put r }\nthread u { join t; assert gone == 0 }\n") == "sound");
    CHECK(agreed(count + "thread t { get r; put r; put r; put r; assert gone == 1 }\n") == "sound");
    CHECK(agreed(count + "thread t { put r; put r; put r }\n") == "finding");
    CHECK(agreed(count + "thread t { put r; put r; get r }\n") == "finding");
    CHECK(agreed(count + "thread t { put r; put r; try get r; assert gone == 0 }\n") == "sound");
    CHECK(agreed(count +
                 "thread t { put r; put r; try get r { yield } else { assert gone == 0 } }\n") ==
          "finding");
}

TEST_CASE("primitives: a waiter looks again at each wake-up, and may give up") {
    const std::string queue = "wait_queue q\ncounter K = 0\n";
    const std::string waiter = "thread w { wait q until K == 1 }\n";
    CHECK(agreed(queue + waiter + "thread t { set K = 1; wake q }\n") == "sound");
    CHECK(agreed(queue + waiter + "thread t { wake q; set K = 1 }\n") == "deadlock");
    CHECK(agreed(queue + waiter + "thread t { set K = 2; wake q; set K = 1; wake q }\n") ==
          "sound");
    CHECK(agreed(queue + "thread w { wait q until K == 1 timeout { return }; assert K == 1 }\n") ==
          "sound");
    CHECK(agreed(queue + "thread w { wait q until K == 1 timeout { assert K == 1 } }\n") ==
          "finding");
    // A hang that only a signal could end is a deadlock.
    CHECK(agreed(queue + "thread w { wait q until K == 1 interrupted { return } }\n") ==
          "deadlock");
    CHECK(agreed(queue + "thread w { wait q until K == 1 interrupted { assert K == 1 } }\n"
                         "thread t { set K = 1; wake q }\n") == "finding");
    CHECK(agreed("completion c\nthread w { wait c interrupted { assert 1 == 2 } }\n"
                 "thread t { complete c }\n") == "finding");
    CHECK(agreed(queue + "thread w x2 { wait q exclusive until K == 1 }\n"
                         "thread t { set K = 1; wake q }\n",
                 20'000) == "deadlock");
}

TEST_CASE("primitives: a wait for an event takes part in the order of signalling sections") {
    const std::string text =
        "lock a mutex\nwait_queue q\ncounter K = 0\n"
        "thread w { lock a; wait q until K == 1; unlock a }\nthread t { ";
    const check_result stuck =
        checked(text + "signalling { lock a; unlock a; set K = 1; wake q } }\n");
    REQUIRE(has(stuck, finding_kind::circular));
    CHECK(stuck.what == "deadlock");
    CHECK(stuck.found.findings.front().judged == verdict::confirmed);
    const check_result kept =
        checked(text + "set K = 1; signalling { lock a; unlock a; wake q } }\n");
    REQUIRE(has(kept, finding_kind::circular));
}

TEST_CASE("primitives: the searches over states and over schedules agree") {
    if (wedge::sanitizer::thread) return;  // as in agreement_test
    unsigned finished = 0;
    for (std::uint64_t seed = 0; seed < wedge::trials(50); ++seed)
        finished += agreed(generator(seed).text(), 1000) != "too large" ? 1 : 0;
    CHECK(finished * 3 > wedge::trials(50));
}

TEST_CASE("primitives: uses that make no sense are refused") {
    const std::string all = "wait_queue q\ncompletion c\nfence f\ncounter K = 0\nrefcount r { }\n";
    const auto in = [&](const std::string& step) {
        return error_of(all + "thread t { " + step + " }\n");
    };
    CHECK(in("wait q") ==
          "test.wedge:6:17: 'q' is a wait_queue, a wait for it says 'until' and a test");
    CHECK(in("wait c until K == 1") ==
          "test.wedge:6:17: 'c' is a completion, only a wait for a wait_queue says 'until'");
    CHECK(in("wait q exclusive until K == 1 timeout { }") ==
          "test.wedge:6:17: 'q' is a wait_queue, an exclusive wait has no 'timeout'");
    CHECK(in("wait f interrupted { }") ==
          "test.wedge:6:17: 'f' is a fence, which no signal interrupts");
    CHECK(in("wake c") == "test.wedge:6:17: 'c' is a completion, a wait_queue is wanted");
    CHECK(in("put q") == "test.wedge:6:16: there is no refcount 'q'");
    CHECK(error_of("refcount r = 0 { }\n") ==
          "test.wedge:1:14: found '0', expected a number from 1 to 1000000");
}

}  // namespace primitives_test
