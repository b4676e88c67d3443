// Waits in the order pass: what a signaller takes before it signals is inferred (rule 19d).
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "wedge/scenario/order_walk.hpp"

#include "scenario/read.hpp"

namespace inferred_waits_test {

using wedge::finding;
using wedge::finding_kind;
using wedge::verdict;
using wedge::scenario::check_result;
using wedge::scenario::document;
using wedge::scenario::order_walk;

namespace {

/// Returns the cycles through inferred waits that the order pass finds, before any exploration.
std::vector<finding> inferred_in(const std::string& text) {
    const document all = parsed(text);
    order_walk walk(all);
    std::vector<finding> found = walk.run(nullptr);
    std::erase_if(found, [](const finding& each) { return !each.graded.is_inferred; });
    return found;
}

/// Checks that the order pass alone finds one such cycle, and that the exploration confirms it.
void check_confirmed(const std::string& text, const std::string& what) {
    CAPTURE(text);
    const std::vector<finding> found = inferred_in(text);
    REQUIRE(found.size() == 1);
    CHECK(found[0].kind == finding_kind::circular);
    CHECK(found[0].judged == verdict::unresolved);
    CHECK(found[0].what == what);
    const check_result whole = checked(text);
    CHECK(whole.what == "deadlock");
    bool is_confirmed = false;
    for (const finding& each : whole.found.findings)
        if (each.signature == found[0].signature) {
            is_confirmed = each.judged == verdict::confirmed;
            CHECK_FALSE(each.graded.is_inferred);
            CHECK_FALSE(each.best.decisions.empty());
        }
    CHECK(is_confirmed);
}

/// Checks that neither pass has anything to say.
void check_silent(const std::string& text) {
    CAPTURE(text);
    CHECK(inferred_in(text).empty());
    const check_result whole = checked(text);
    CHECK(whole.what == "sound");
    CHECK(whole.found.findings.empty());
}

/// Checks that the order is inverted, and that no schedule hangs.
void check_refuted(const std::string& text) {
    CAPTURE(text);
    CHECK(inferred_in(text).size() == 1);
    const check_result whole = checked(text);
    CHECK(whole.what == "sound");
    REQUIRE(whole.found.findings.size() == 1);
    CHECK(whole.found.findings[0].judged == verdict::refuted);
    CHECK(whole.found.findings[0].graded.is_inferred);
}

}  // namespace

TEST_CASE("inferred waits: a completion under a lock that its signaller takes first") {
    const std::string objects = "lock dev mutex\ncompletion done\n";
    const std::string reset = "thread reset {\nlock dev\nunlock dev\ncomplete done\n}\n";
    check_confirmed(objects + "thread ioctl {\nlock dev\nwait done\nunlock dev\n}\n" + reset,
                    "dev -> completion done here, completion done -> dev before");
    check_silent(objects + "thread ioctl {\nlock dev\nunlock dev\nwait done\n}\n" + reset);
    check_silent(objects +
                 "thread ioctl {\nlock dev\nwait done\nunlock dev\n}\n"
                 "thread reset {\ncomplete done\nlock dev\nunlock dev\n}\n");
}

TEST_CASE("inferred waits: a hang that needs a third task") {
    const std::string text =
        "lock a mutex\nlock b mutex\nfence f\n"
        "thread waits {\nlock a\nwait f\nunlock a\n}\n"
        "thread signals {\nlock b\nunlock b\nsignal f\n}\n";
    check_confirmed(text + "thread between {\nlock b\nlock a\nunlock a\nunlock b\n}\n",
                    "a -> completion f here, completion f -> b, b -> a before");
    check_silent(text + "thread between {\nlock b\nunlock b\nlock a\nunlock a\n}\n");
}

TEST_CASE("inferred waits: reclaim waits for a fence whose signaller allocates") {
    const std::string text =
        "fence f\nmemory 8 pages low 0 high 0\n"
        "thread fills {\nalloc 6 GFP_KERNEL\n}\n"
        "shrinker cache {\nwait f\nfree 6\n}\n";
    check_confirmed(text + "thread signals {\nalloc 6 GFP_KERNEL\nsignal f\n}\n",
                    "reclaim -> completion f here, completion f -> reclaim before");
    check_silent(text + "thread signals {\nalloc 6 GFP_NOWAIT\nsignal f\n}\n");
}

TEST_CASE("inferred waits: a wait queue, a condition, and the end of a thread") {
    check_confirmed(
        "lock s mutex\nwait_queue q\ncounter n = 1\n"
        "thread freeze {\nlock s\nwait q until n == 0\nunlock s\n}\n"
        "thread finish {\nlock s\nset n = 0\nwake q\nunlock s\n}\n",
        "s -> condition q here, condition q -> s before");
    check_confirmed(
        "lock a mutex\nthread worker {\nlock a\nunlock a\n}\n"
        "thread main {\nlock a\njoin worker\nunlock a\n}\n",
        "a -> the end of worker here, the end of worker -> a before");
    const auto with = [](const char* outer) {
        return std::string("lock a mutex\nlock m mutex\ncondition c\ncounter ready = 0\n") +
               "thread eats {\n" + outer +
               "lock m\nwhile ready == 0 {\nwait c m\n}\nunlock m\n}\n"
               "thread makes {\nlock a\nlock m\nset ready = 1\nnotify c\nunlock m\nunlock a\n}\n";
    };
    // The lock that the condition releases is no obstacle; a lock outside of it is one.
    check_silent(with(""));
    std::string held = with("lock a\n");
    held.insert(held.find("unlock m\n}\n") + 9, "unlock a\n");
    check_confirmed(held, "a -> condition c here, condition c -> a before");
}

TEST_CASE("inferred waits: a semaphore's section begins where its unit was taken") {
    const auto with = [](const char* units) {
        return std::string("semaphore slots = ") + units +
               "\nlock dev mutex\n"
               "thread one {\ndown slots\nlock dev\nunlock dev\nup slots\n}\n"
               "thread two {\nlock dev\ndown slots\nup slots\nunlock dev\n}\n";
    };
    check_confirmed(with("1"), "dev -> semaphore slots here, semaphore slots -> dev before");
    check_refuted(with("2"));
    check_confirmed(
        "semaphore s = 1\nsemaphore t = 1\n"
        "thread one {\ndown s\ndown t\nup t\nup s\n}\nthread two {\ndown t\ndown s\nup s\nup "
        "t\n}\n",
        "semaphore t -> semaphore s here, semaphore s -> semaphore t before");
}

TEST_CASE("inferred waits: another signaller refutes the cycle") {
    check_refuted(
        "lock a mutex\ncompletion done\n"
        "thread one {\nlock a\nwait done\nunlock a\n}\n"
        "thread two {\nlock a\nunlock a\ncomplete done\n}\nthread three {\ncomplete done\n}\n");
}

TEST_CASE("inferred waits: what hangs nobody is no wait") {
    // A wait that may time out.
    check_silent(
        "lock a mutex\nfence f\nthread one {\nlock a\nwait f timeout { }\nunlock a\n}\n"
        "thread two {\nlock a\nunlock a\nsignal f\n}\n");
    // Requests under a lock, and replies to them.
    check_silent(
        "lock bus mutex\nlock cache mutex\ncompletion request\ncompletion reply\n"
        "thread client {\nrepeat 2 {\nlock bus\ncomplete request\nwait reply\nunlock bus\n}\n}\n"
        "thread server {\nrepeat 2 {\nwait request\nlock cache\nunlock cache\ncomplete "
        "reply\n}\n}\n");
    // A thread that waits for its own signal.
    check_silent(
        "lock a mutex\ncompletion c\nthread one {\nlock a\ncomplete c\nwait c\nunlock a\n}\n");
    // What is taken before the last wait.
    check_silent(
        "lock a mutex\nfence start\nfence f\n"
        "thread one {\nsignal start\nlock a\nwait f\nunlock a\n}\n"
        "thread two {\nwait start\nsignal f\n}\nthread three {\nlock a\nunlock a\n}\n");
}

TEST_CASE("inferred waits: readers keep no readers from a signal") {
    const std::string waits =
        "lock a rwsem\ncompletion c\nthread one {\nread a\nwait c\nunlock a\n}\n";
    check_silent(waits + "thread two {\nread a\nunlock a\ncomplete c\n}\n");
    check_confirmed(waits + "thread two {\nlock a\nunlock a\ncomplete c\n}\n",
                    "a -> completion c here, completion c -> a before");
}

TEST_CASE("inferred waits: a hang elsewhere does not confirm the cycle") {
    const check_result mixed = checked(
        "lock a mutex\nlock x mutex\ncompletion done\ncompletion never\n"
        "thread one {\nlock a\nwait done\nunlock a\n}\n"
        "thread two {\nlock a\nunlock a\ncomplete done\n}\n"
        "thread three {\ncomplete done\n}\n"
        "thread four {\nlock x\nwait never\nunlock x\n}\n");
    CHECK(mixed.what == "deadlock");
    for (const finding& each : mixed.found.findings)
        if (each.kind == finding_kind::circular) CHECK(each.judged == verdict::refuted);
}

}  // namespace inferred_waits_test
