#include "wedge/scenario/certificate.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "wedge/core/sanitizer.hpp"

#include "scenario/read.hpp"
#include "support/trials.hpp"

// A named inner namespace: other tests have constants of these names.
namespace certificate_test {
namespace {

std::string certified(const std::string& text, const std::string& path = "test.wedge") {
    const wedge::scenario::document all = wedge::scenario::parse(text, path);
    wedge::scenario::check_options options;
    options.explore.executions_max = 1'000'000;
    return wedge::scenario::certificate_of(all, text, wedge::scenario::check(all, options));
}

/// Returns why the verifier rejects the certificate; "" if it accepts it.
std::string rejection(const std::string& certificate) {
    try {
        static_cast<void>(wedge::verify::certificate(certificate, "c").check());
        return "";
    } catch (const std::runtime_error& why) {
        return why.what();
    }
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> all;
    for (std::size_t at = 0, end = 0; at < text.size(); at = end + 1) {
        end = text.find('\n', at);
        all.push_back(text.substr(at, end + 1 - at));
    }
    return all;
}

const char* const ordered =
    "lock a mutex\nlock b mutex\n"
    "thread t x2 { lock a; lock b; unlock b; unlock a }\n";
const char* const inverted_pair =
    "lock a mutex\nlock b mutex\n"
    "thread t { lock a; lock b; unlock b; unlock a }\n"
    "thread u { lock b; lock a; unlock a; unlock b }\n";
const char* const gated =
    "lock g mutex\nlock a mutex\nlock b mutex\n"
    "thread t { lock g; lock a; lock b; unlock b; unlock a; unlock g }\n"
    "thread u { lock g; lock b; lock a; unlock a; unlock b; unlock g }\n";

}  // namespace

TEST_CASE(
    "certificate: an order in which every acquire rises, and the same with two classes swapped") {
    const std::string good = certified(ordered);
    CHECK(good.find("claim sound\nrising\nclass a\nclass b\nend\n") != std::string::npos);
    CHECK(rejection(good) == "");
    const std::string swapped = replaced(good, "class a\nclass b\n", "class b\nclass a\n");
    CHECK(rejection(swapped).find("t takes b under a") != std::string::npos);
}

TEST_CASE(
    "certificate: all states and steps where no order rises, and the same with one edge less") {
    const std::string good = certified(gated);
    CHECK(good.find("claim sound\nstates ") != std::string::npos);
    CHECK(rejection(good) == "");
    CHECK(rejection(replaced(good, "\n0 0 ->", "\n0 1 ->")).starts_with("c:"));
    CHECK(rejection(replaced(good, "begin -> 0\n", "")).find("`begin -> …` is missing") !=
          std::string::npos);
}

TEST_CASE("certificate: a schedule with a changed step or claim is rejected") {
    const std::string good = certified(inverted_pair);
    CHECK(good.find("claim deadlock\ndecisions ") != std::string::npos);
    CHECK(rejection(good) == "");
    CHECK(rejection(replaced(good, "run 0 ", "run 7 ")).find("task 7 cannot go on") !=
          std::string::npos);
    CHECK(rejection(replaced(good, "run 0 x1", "run 0 x2")) != "");
    CHECK(rejection(replaced(good, "claim deadlock", "claim livelock")) != "");
    CHECK(rejection(replaced(good, "claim deadlock", "claim assertion")).find("no assertion") !=
          std::string::npos);
    CHECK(rejection(replaced(good, "claim deadlock", "claim sound")) != "");
}

TEST_CASE("certificate: the proof of a repaired twin does not prove the broken one") {
    const auto moved = [](const std::string& certificate, const std::string& text) {
        const std::string head = wedge::scenario::detail::head_of_certificate("test.wedge", text);
        return head + certificate.substr(certificate.find("claim "));
    };
    CHECK(rejection(moved(certified(ordered), inverted_pair)).find("under") != std::string::npos);
    CHECK(rejection(moved(certified(gated), std::string("lock g mutex\n") + inverted_pair)) != "");
    const std::string softirq = "lock s spinlock\nhandler h softirq { lock s; unlock s }\n";
    const std::string nested =
        softirq + "thread t { bh off; bh off; bh on; lock s; unlock s; bh on }\n";
    const std::string left_early =
        softirq + "thread t { bh off; bh off; bh on; bh on; lock s; unlock s }\n";
    CHECK(rejection(certified(nested)) == "");
    CHECK(rejection(moved(certified(nested), left_early)) != "");
    const std::string spin = "counter k = 0\nthread t { until k == 1 }\nthread u { set k = ";
    CHECK(rejection(moved(certified(spin + "1 }\n"), spin + "1 }\n")) == "");
    CHECK(rejection(moved(certified(spin + "1 }\n"), spin + "2 }\n")).starts_with("c:"));
}

TEST_CASE("certificate: a certificate of a changed scenario is rejected") {
    const std::string good = certified(ordered);
    CHECK(rejection(replaced(good, "| lock a mutex", "| lock a rwsem"))
              .find("not the one of `text`") != std::string::npos);
}

TEST_CASE("certificate: there is none for statements that the verifier does not know") {
    CHECK_THROWS_WITH_AS(certified("thread t cpu 0 { yield }\n"),
                         "no certificate: the verifier does not know `cpu`",
                         wedge::scenario::no_certificate);
    CHECK_THROWS_WITH_AS(certified("timer r { yield }\nthread t { arm r }\n"),
                         "no certificate: the verifier does not know scenario, line 1: `timer`",
                         wedge::scenario::no_certificate);
    CHECK_THROWS_WITH_AS(certified("handler h nmi { yield }\nthread t { yield }\n"),
                         "no certificate: the verifier does not know scenario, line 1: `nmi`",
                         wedge::scenario::no_certificate);
    CHECK_THROWS_WITH_AS(
        certified("lock a mutex\nlock s spinlock\n"
                  "thread t { lock s; lock a; unlock a; unlock s }\n"),
        "no certificate: the outcome is finding, and a certificate is for sound, a deadlock, a "
        "livelock or an assertion",
        wedge::scenario::no_certificate);
    const wedge::scenario::document all = wedge::scenario::parse(gated, "test.wedge");
    const auto result = wedge::scenario::check(all, {});
    CHECK_THROWS_AS(wedge::scenario::certificate_of(all, gated, result, {.states = 3}),
                    wedge::scenario::no_certificate);
}

TEST_CASE(
    "certificate: each statement that the verifier knows, in a sound scenario and its broken "
    "twin") {
    const struct {
        const char* what;
        std::string sound, broken;
    } pairs[] = {
        {"readers",
         "lock a rwsem\nthread t x2 { read a; unlock a }\nthread u { lock a; unlock a }\n",
         "lock a rwsem\nthread t { read a; read a; unlock a; unlock a }\nthread u { lock a; unlock "
         "a }\n"},
        {"condition",
         "lock m mutex\ncondition c\ncounter r = 0\nthread t { lock m; while r == 0 { wait c m }; "
         "unlock m }\nthread u { lock m; set r = 1; notify c; unlock m }\n",
         "lock m mutex\ncondition c\nthread t { lock m; wait c m; unlock m }\n"
         "thread u { lock m; notify c; unlock m }\n"},
        {"completion and join",
         "completion c\nthread t { wait c }\nthread u { complete c }\nthread v { join t }\n",
         "completion c\nthread t { wait c }\nthread u { join t; complete c }\n"},
        {"semaphore", "semaphore s = 1\nthread t x2 { down s; up s }\n",
         "semaphore s = 1\nthread t x2 { down s; down s; up s; up s }\n"},
        {"fence and timeout", "fence f\nthread t { wait f timeout { } }\n",
         "fence f\nthread t { wait f }\n"},
        {"work", "lock d mutex\nwork w { lock d; unlock d }\nthread t { queue w; flush w }\n",
         "lock d mutex\nwork w { lock d; unlock d }\nthread t { queue w; lock d; flush w; unlock d "
         "}\n"},
        {"delayed work",
         "lock d mutex\ndelayed_work w { lock d; unlock d }\n"
         "thread t { queue w; flush w; queue w; drop w; cancel w; lock d; unlock d }\n",
         "lock d mutex\ndelayed_work w { lock d; unlock d }\n"
         "thread t { queue w; lock d; cancel w; unlock d }\n"},
        {"handler",
         "lock r spinlock\nhandler h hardirq threaded { lock r; unlock r }\n"
         "thread t { irq off; lock r; unlock r; irq on }\n",
         "lock r spinlock\nhandler h hardirq threaded { lock r; unlock r }\n"
         "thread t { lock r; unlock r }\n"},
        {"loops and tries",
         "lock a mutex\nthread t x2 { repeat 2 { try lock a { unlock a } else { yield } } }\n",
         "lock a mutex\nthread t { lock a; repeat 2 { try lock a { break } else { lock a } } }\n"},
        {"assertion", "counter k = 0\nthread t x2 { set k = 1; assert k == 1 }\n",
         "counter k = 0\nthread t x2 { if k == 0 { add k 1; assert k == 1 } }\n"},
        {"tickets",
         "lock o ww_mutex x2\n"
         "thread t { transaction a { lock o[0] with a; lock o[1] with a } }\n"
         "thread u { ww begin b; lock o[1] with b; lock o[0] with b else { unlock o[1]; "
         "lock o[0] slow with b; lock o[1] with b }; ww done b; unlock o[0]; unlock o[1]; "
         "ww end b }\n",
         "lock o ww_mutex x2\nlock f mutex\n"
         "thread t { transaction a { lock o[0] with a; lock f; lock o[1] with a; unlock f } }\n"
         "thread u { lock f; lock o[0]; unlock o[0]; unlock f }\n"},
        {"a try that fails within a transaction",
         "lock b mutex\nlock r ww_mutex\nthread t { lock b; yield; unlock b }\n"
         "thread w { transaction x { lock r with x; try lock b; unlock b } }\n",
         "lock b mutex\nlock r ww_mutex\nthread t { lock b; lock r; unlock r; unlock b }\n"
         "thread w { transaction x { lock r with x; lock b; unlock b } }\n"},
        {"memory",
         "lock a mutex\nmemory 8 pages low 2 high 4\n"
         "thread t x2 { lock a; scope nofs { alloc 6 GFP_KERNEL | NORETRY else { } }; unlock a }\n"
         "shrinker s needs fs { lock a; free 6; unlock a }\n"
         "shrinker n { try lock a { free 6; unlock a } else { } }\n",
         "lock a mutex\nmemory 8 pages low 0 high 0\n"
         "thread t x2 { lock a; alloc 6 GFP_KERNEL; unlock a }\n"
         "notifier s { lock a; free 6; unlock a }\n"},
        {"wait queue",
         "wait_queue q\ncounter k = 0\nthread t x2 { wait q exclusive until k == 1 }\n"
         "thread u { set k = 1; wake q all }\n",
         "wait_queue q\ncounter k = 0\nthread t x2 { wait q exclusive until k == 1 }\n"
         "thread u { set k = 1; wake q }\n"},
        // The last look after the timeout is another state than the look of a task that was woken.
        {"timed wait for a wait queue",
         "wait_queue q\ncounter k = 0\nthread t { wake q; yield }\n"
         "thread u { wait q until k == 1 timeout { yield } }\n",
         "wait_queue q\ncounter k = 0\nthread t { wake q; yield }\n"
         "thread u { wait q until k == 1 }\n"},
        {"waits that a signal ends",
         "wait_queue q\ncompletion c\ncounter k = 0\nthread t { wait c interrupted { yield } }\n"
         "thread u { set k = 1; complete c; wake q }\n"
         "thread v { wait q until k == 1 interrupted { yield } }\n",
         "completion c\nthread t { wait c interrupted { } }\nthread u { yield }\n"},
        {"references",
         "lock a mutex\nrefcount o = 2 { lock a; unlock a }\n"
         "thread t { try get o { put o } else { yield } }\n"
         "thread u { lock a; unlock a; put o }\n",
         "lock a mutex\nrefcount o = 2 { lock a; unlock a }\n"
         "thread t { lock a; put o; unlock a }\nthread u { put o }\n"},
        {"a reference after the last one", "refcount o = 2 { yield }\nthread t x2 { put o }\n",
         "refcount o { yield }\nthread t { put o }\nthread u { get o; put o }\n"},
        {"readers that are waited for",
         "lock r srcu\nlock a rw_semaphore\nthread t { read r; read a; unlock a; unlock r }\n"
         "thread u { sync r; lock a; unlock a }\n",
         "lock r srcu\nlock a rw_semaphore\nthread t { read r; read a; unlock a; unlock r }\n"
         "thread u { lock a; sync r; unlock a }\n"},
        {"sequence count",
         "lock s seqcount\nlock a spinlock\nthread t { lock a; lock s; unlock s; unlock a }\n"
         "thread u { lock a; read s { yield }; unlock a }\n",
         "lock s seqcount\nlock a spinlock\nthread t { lock s; lock a; unlock a; unlock s }\n"
         "thread u { lock a; read s { yield }; unlock a }\n"},
        {"sequence lock, and a try that fails in its section",
         "lock s seqlock\nlock a spinlock\nthread t { lock s; try lock a; unlock a; unlock s }\n"
         "thread u { lock a; read s { yield }; unlock a }\n",
         "lock s seqlock\nlock a spinlock\nthread t { lock s; lock a; unlock a; unlock s }\n"
         "thread u { lock a; lock s; unlock s; unlock a }\n"},
        {"a reader that is interrupted",
         "lock s seqlock\nhandler h hardirq threaded { read s { yield } }\n"
         "thread t { irq off; lock s; unlock s; irq on }\n",
         "lock s seqlock\nhandler h hardirq threaded { read s { yield } }\n"
         "thread t { lock s; unlock s }\n"},
        {"a reader that leaves its block",
         "lock s seqcount\nthread t { repeat 2 { read s { break } } }\n"
         "thread u { lock s; unlock s }\n",
         "lock s seqcount\nthread t { read s { lock s; unlock s } }\n"},
        {"livelock on a long way",
         "counter k = 0\nthread t { repeat 9 { yield }; until k == 1 }\nthread u { set k = 1 }\n",
         "counter k = 0\nthread t { repeat 9 { yield }; progress; until k == 1 }\n"
         "thread u { yield }\n"},
        {"a failure in a work", "work w { yield }\nthread t { queue w }\n",
         "refcount o { yield }\nwork w { put o }\nthread t { put o; queue w }\n"},
        {"livelock", "counter k = 0\nthread t { until k == 1 }\nthread u { set k = 1 }\n",
         "counter k = 0\nthread t { until k == 1 }\nthread u { set k = 1; set k = 0 }\n"},
    };
    for (const auto& each : pairs) {
        CAPTURE(std::string(each.what));
        CHECK(certified(each.sound).find("\nclaim sound\n") != std::string::npos);
        CHECK(certified(each.broken).find("\nclaim sound\n") == std::string::npos);
    }
}

TEST_CASE(
    "certificate: of every scenario of the corpora, and with any line taken out it is rejected") {
    std::uint64_t drawn = 1;
    std::map<std::string, unsigned> seen;
    const std::vector<std::string> files = wedge::some_of(corpus(), 8);
    for (const std::string& file : files) {
        CAPTURE(file);
        std::string certificate;
        try {
            certificate = certified(text_of_file(file), file);
        } catch (const wedge::scenario::no_certificate& why) {
            const std::string text = why.what();
            CHECK(text.find("rejects") == std::string::npos);
            ++seen[text.find("does not know") != std::string::npos ? "unknown" : "no claim"];
            continue;
        }
        ++seen["verified"];
        const std::vector<std::string> lines = lines_of(certificate);
        for (unsigned round = 0; round < 3; ++round) {
            drawn = drawn * 6364136223846793005U + 1442695040888963407U;
            const std::size_t left_out = (drawn >> 33U) % lines.size();
            if (lines[left_out].starts_with("scenario ")) continue;
            std::string rest;
            for (std::size_t i = 0; i < lines.size(); ++i)
                if (i != left_out) rest += lines[i];
            CAPTURE(lines[left_out]);
            CHECK(rejection(rest) != "");
        }
    }
    CHECK(seen["verified"] >= (wedge::sanitizer::any ? 10U : 115U));
    CHECK(seen["verified"] > seen["unknown"] + seen["no claim"]);
}

TEST_CASE("certificate: the verifier says so if a task could have woken up by itself once more") {
    const auto verified = [](const std::string& waits) {
        const std::string text = "lock m mutex\ncondition c\ncounter y = 0\nthread t { lock m; " +
                                 waits + "; unlock m }\n" +
                                 "thread u { lock m; set y = 1; notify c; unlock m }\n";
        return wedge::verify::certificate(certified(text), "c").check();
    };
    CHECK(verified("repeat 2 { if y == 0 { wait c m } }").ends_with("at most once"));
    CHECK(verified("if y == 0 { wait c m }").ends_with("sound"));
}

}  // namespace certificate_test
