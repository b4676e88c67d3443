#include "wedge/scenario/interpreter.hpp"

#include <doctest/doctest.h>

#include "scenario/read.hpp"

namespace interpreter_test {
namespace {

std::string outcome_of(const std::string& text) {
    return checked(text).what;
}

}  // namespace

TEST_CASE("interpreter: a transaction ends with everything unlocked, however it is left") {
    const std::string text =
        "lock o ww_mutex x2\n"
        "thread t { repeat 2 { transaction T { lock o[0] with T\n"
        "lock o[1] with T; ";
    for (const char* way : {"", "break", "return", "try lock o[0]", "unlock o[0]"}) {
        CAPTURE(way);
        CHECK(outcome_of(text + way + " } } }\n") == "sound");
    }
}

TEST_CASE("interpreter: both algorithms resolve orders that deadlock with plain locks") {
    for (const char* how : {"", " wait_die"}) {
        CAPTURE(how);
        const auto thread = [&](const char* name, const char* a, const char* b) {
            return std::string("thread ") + name + " { ww begin T class o" + how + "; lock o[" + a +
                   "] with T; lock o[" + b + "] with T else { unlock o[" + a +
                   "]; ww end T; return }; unlock o[" + b + "]; unlock o[" + a + "]; ww end T }\n";
        };
        CHECK(outcome_of("lock o ww_mutex x2\n" + thread("t", "0", "1") + thread("u", "1", "0")) ==
              "sound");
    }
    CHECK(outcome_of("lock o ww_mutex x2\nthread t { lock o[0]; lock o[1]; unlock o[1]; unlock "
                     "o[0] }\nthread u { lock o[1]; lock o[0]; unlock o[0]; unlock o[1] }\n") ==
          "deadlock");
}

TEST_CASE("interpreter: completions are remembered, fences forever, conditions not at all") {
    CHECK(outcome_of("completion c\nthread t { complete c; complete c; wait c; wait c }\n") ==
          "sound");
    CHECK(outcome_of("completion c\nthread t { complete c; wait c; wait c }\n") == "deadlock");
    CHECK(outcome_of("completion c\nthread t { complete c all; wait c; wait c }\n") == "sound");
    CHECK(outcome_of("fence f\nthread t { signal f; signal f; wait f; wait f }\n") == "sound");
    CHECK(outcome_of("lock a mutex\ncondition v\n"
                     "thread t { notify v; lock a; wait v a; unlock a }\n") == "deadlock");
}

TEST_CASE("interpreter: any wait may time out, and a wait for a condition may end spuriously") {
    const std::string text =
        "fence f\ncompletion c\ncondition v\nlock a mutex\n"
        "counter K = 0\nthread t { lock a; ";
    const std::string or_give_up = " timeout { set K = 1 }; assert K == 1; unlock a }\n";
    CHECK(outcome_of(text + "wait f" + or_give_up) == "sound");
    CHECK(outcome_of(text + "wait c" + or_give_up) == "sound");
    CHECK(outcome_of(text + "wait v a" + or_give_up) == "finding");
    for (const char* wait : {"wait f", "wait c", "wait v a"}) {
        CAPTURE(wait);
        CHECK(outcome_of(text + wait + "; unlock a }\n") == "deadlock");
        CHECK(outcome_of(text + wait + " timeout { }; unlock a }\n") == "sound");
    }
}

TEST_CASE("interpreter: a pending work is queued once, and an idle worker is no deadlock") {
    const std::string text = "counter K = 0\nwork w { add K 1 }\n";
    CHECK(outcome_of(text + "thread t { queue w; flush w; queue w; flush w; assert K == 2 }\n") ==
          "sound");
    CHECK(outcome_of(text + "thread t { queue w; queue w; flush w; assert K == 1 }\n") ==
          "finding");
    CHECK(outcome_of(text + "thread t { queue w; cancel w; if K == 1 { assert K == 1 } }\n") ==
          "sound");
    CHECK(outcome_of("lock a mutex\nwork w { lock a }\nthread t { queue w }\n") == "finding");
    CHECK(outcome_of("semaphore s = 0\nwork w { down s }\nthread t { queue w }\n") == "deadlock");
}

TEST_CASE("interpreter: sync waits until all sections have ended") {
    const std::string text =
        "lock rcu map\ncounter K = 0\n"
        "thread reads { read rcu; set K = 1; set K = 0; unlock rcu }\n";
    CHECK(outcome_of(text + "thread waits { if K == 1 { sync rcu; assert K == 0 } }\n") == "sound");
    CHECK(outcome_of(text + "thread waits { if K == 1 { assert K == 0 } }\n") == "finding");
}

TEST_CASE("interpreter: recursive readers pass a waiting writer, plain readers do not") {
    const auto twice = [](const char* kind, const char* how) {
        return outcome_of(std::string("lock a ") + kind + "\nthread reads { read a" + how +
                          "; read a" + how + "; unlock a; unlock a }\n" +
                          "thread writes { lock a; unlock a }\n");
    };
    CHECK(twice("rwlock", "") == "sound");
    CHECK(twice("qrwlock", "") == "deadlock");
    CHECK(twice("rwsem", "") == "deadlock");
    CHECK(twice("rwsem", " recursive") == "sound");
    CHECK(twice("qrwlock", " recursive") == "sound");
}

TEST_CASE("interpreter: queueing never sleeps, flushing and cancelling do") {
    const std::string w = "lock s spinlock\nlock r raw_spinlock\nwork w { }\n";
    for (const char* where : {"thread t { lock s; ", "thread t { lock r; ", "handler h hardirq { ",
                              "handler h softirq { "}) {
        CAPTURE(where);
        const char* const unlocks = where[0] == 'h'    ? ""
                                    : where[16] == 's' ? "; unlock s"
                                                       : "; unlock r";
        const auto with = [&](const char* step) {
            return checked(w + where + step + unlocks + " }\nthread u { queue w }\n");
        };
        const wedge::scenario::check_result queued = with("queue w");
        CHECK(queued.what == "sound");
        CHECK(queued.found.findings.empty());
        for (const char* waits : {"flush w", "cancel w"}) {
            const wedge::scenario::check_result waited = with(waits);
            REQUIRE(!waited.found.findings.empty());
            for (const wedge::finding& each : waited.found.findings)
                for (const wedge::lock_use& lock : each.locks)
                    CHECK(lock.class_name.find("wedge's own") == std::string::npos);
            CHECK(waited.found.findings[0].kind == wedge::finding_kind::wait_type);
        }
    }
}

TEST_CASE("interpreter: a reader that writes in its own section reads for ever") {
    for (const std::string kind : {"seqcount", "seqlock"}) {
        CAPTURE(kind);
        const std::string locks = "lock s " + kind + "; lock r " + kind + "\ncounter k = 0\n";
        const std::string write = "lock s; unlock s";
        CHECK(outcome_of(locks + "thread t { read s { " + write + " } }\n") == "livelock");
        // Some runs end: the others must not be forgotten.
        CHECK(outcome_of(locks + "thread t { read s { choose { " + write + " } or {} } }\n") ==
              "livelock");
        CHECK(outcome_of(locks + "thread t { read s { try lock m { unlock m } else {} } }\n" +
                         "lock m mutex\nthread u { lock m; unlock m }\n") == "sound");
        // The second time there is no reference to put.
        CHECK(outcome_of(locks + "thread t { read s { put o } }\nrefcount o { " + write + " }\n") ==
              "finding");
        CHECK(outcome_of(locks + "thread t { read s { queue w; flush w } }\nwork w { " + write +
                         " }\n") == "livelock");
        CHECK(outcome_of(locks + "thread t { read s { arm w; cancel w } }\ntimer w { " + write +
                         " }\n") == "livelock");
        CHECK(outcome_of(locks + "thread t { read s { reclaim } }\nshrinker w { " + write +
                         " }\n") == "livelock");
        CHECK(outcome_of(locks + "thread t { read s { invalidate } }\nnotifier w { " + write +
                         " }\n") == "livelock");
        // Each of two readers disturbs the other one.
        CHECK(outcome_of(locks + "thread t { read s { lock r; unlock r } }\n" +
                         "thread u { read r { " + write + " } }\n") == "livelock");
        CHECK(outcome_of(locks + "thread t { read s { if k == 0 { set k = 1; " + write +
                         " } } }\n") == "sound");
        CHECK(outcome_of(locks + "thread t { read s {}; " + write + " }\n") == "sound");
    }
}

}  // namespace interpreter_test
