#include "wedge/scenario/order_walk.hpp"

#include <doctest/doctest.h>

#include "scenario/read.hpp"

namespace {

/// Returns the kinds of the findings of the order pass alone.
std::string kinds_of(const std::string& text) {
    auto options = small_search();
    options.is_order_only = true;
    std::string all;
    for (const wedge::finding& each : wedge::scenario::check(parsed(text), options).found.findings)
        all += (all.empty() ? "" : " ") + std::string(name_of(each.kind));
    return all;
}

}  // namespace

TEST_CASE("order walk: a notifier runs within its pseudo-lock, which every reclaimer touches") {
    const std::string text = "lock a mutex\nnotifier n { lock a; unlock a }\n";
    CHECK(kinds_of(text + "thread t { lock a; might alloc GFP_NOIO; unlock a }\n") ==
          "circular circular");  // within reclaim, and alone
    CHECK(kinds_of(text + "thread t { lock a; might alloc GFP_NOWAIT; unlock a }\n") == "");
    CHECK(kinds_of(text + "thread t { lock a; invalidate; unlock a }\n") == "circular");
    CHECK(kinds_of(text + "thread t { lock a; unlock a; invalidate }\n") == "");
}

TEST_CASE("order walk: a shrinker runs under every mask that allows it") {
    const std::string fs = "lock a mutex\nshrinker s needs fs { lock a; unlock a }\n";
    CHECK(kinds_of(fs + "thread t { lock a; alloc 1 GFP_KERNEL; unlock a }\n") == "circular");
    CHECK(kinds_of(fs + "thread t { lock a; scope nofs { alloc 1 GFP_KERNEL }; unlock a }\n") ==
          "");
    const std::string io = "lock a mutex\nshrinker s needs io { lock a; unlock a }\n";
    CHECK(kinds_of(io + "thread t { lock a; alloc 1 GFP_NOFS; unlock a }\n") == "circular");
    CHECK(kinds_of(io + "thread t { lock a; alloc 1 GFP_NOIO; unlock a }\n") == "");
    CHECK(kinds_of(io + "thread t { lock a; alloc 1 GFP_NOFS|NOLOCKDEP; unlock a }\n") == "");
}

TEST_CASE("order walk: a wait for a work waits for the locks that the work takes") {
    const std::string text = "lock a mutex\nwork w { lock a; unlock a }\n";
    CHECK(kinds_of(text + "thread t { lock a; flush w; unlock a }\n") == "circular");
    CHECK(kinds_of(text + "thread t { lock a; cancel w; unlock a }\n") == "circular");
    CHECK(kinds_of(text + "thread t { lock a; queue w; unlock a; flush w }\n") == "");
}

TEST_CASE("order walk: a wait for a fence is ordered against the way to its signal") {
    const std::string text =
        "lock a mutex\nfence f\n"
        "thread signals { signalling { lock a; unlock a; signal f } }\n";
    CHECK(kinds_of(text + "thread t { lock a; wait f; unlock a }\n") == "circular");
    CHECK(kinds_of(text + "thread t { wait f; lock a; unlock a }\n") == "");
    CHECK(kinds_of(
              "fence f\nfence g\nthread t { signalling { signalling { wait f }; signal g } }\n") ==
          "");
}

TEST_CASE("order walk: inline contexts and handlers conflict in either order of discovery") {
    const std::string user = "thread t { lock s; unlock s }\n";
    for (const char* first : {"", "thread t { lock s; unlock s }\n"}) {
        CAPTURE(first);
        const std::string last = *first == '\0' ? user : "";
        CHECK(kinds_of("lock s spinlock\n" + std::string(first) +
                       "thread i { softirq { lock s; unlock s } }\n" + last) ==
              "inconsistent-context");
        CHECK(kinds_of("lock s spinlock\n" + std::string(first) +
                       "handler h hardirq threaded { lock s; unlock s }\n" + last) ==
              "inconsistent-context");
    }
    CHECK(kinds_of("lock s spinlock\nhandler h softirq { lock s; unlock s }\n"
                   "thread t { bh off; lock s; unlock s; bh on }\n") == "");
    CHECK(kinds_of("lock m mutex\nhandler h hardirq threaded { lock m; unlock m }\n") ==
          "wait-type");
}

TEST_CASE("order walk: masks, scopes and held locks end with a path") {
    CHECK(kinds_of("lock s spinlock\nthread bad { irq off; lock s }\n"
                   "thread t { lock s; unlock s }\nhandler h softirq { lock s; unlock s }\n") ==
          "held-at-exit inconsistent-context");
}

TEST_CASE("order walk: the path of a ticket's back-off is walked") {
    const std::string text = "lock o ww_mutex x3\nlock m mutex\n";
    CHECK(kinds_of(text + "thread t { ww begin T; lock o[0] with T; lock o[1] with T else {\n"
                          "lock o[2] with T; unlock o[2]; unlock o[0]; ww end T; return }\n"
                          "unlock o[1]; unlock o[0]; ww end T }\n") ==
          "ww-rule ww-rule");  // a lock without the ticket, and a lock that is still held
    CHECK(kinds_of(text + "thread t { ww begin T; lock o[0] with T; lock o[1] with T else {\n"
                          "unlock o[0]; lock o[1] slow with T; unlock o[1]; ww end T; return }\n"
                          "unlock o[1]; unlock o[0]; ww end T }\n") == "");
    CHECK(kinds_of(text + "thread t { transaction T { lock o[1] with T; lock o[0] with T } }\n") ==
          "");
    CHECK(kinds_of(text + "thread t { transaction T { lock o[0] with T; lock m\n"
                          "lock o[1] with T else { unlock m; return }; unlock m } }\n"
                          "thread u { lock o[1]; lock m; unlock m; unlock o[1] }\n") == "circular");
}

TEST_CASE("order walk: a ticket that was not begun on this path is a finding") {
    CHECK(kinds_of("lock o ww_mutex\n"
                   "thread t { choose { ww begin T } or { }; ww end T }\n") == "unlock-imbalance");
    CHECK(kinds_of("lock o ww_mutex\nthread t { ww begin T; ww end T; ww end T }\n") ==
          "unlock-imbalance");
}

TEST_CASE("order walk: stated orders may name pseudo-locks") {
    CHECK(kinds_of("lock a mutex\norder reclaim -> a\n"
                   "thread t { lock a; might alloc GFP_KERNEL; unlock a }\n") == "circular");
    CHECK(kinds_of("lock a mutex\norder notifier -> a\n"
                   "thread t { lock a; invalidate; unlock a }\n") == "circular");
    CHECK(kinds_of("lock a mutex\nfence f\norder signalling -> a\n"
                   "thread t { lock a; wait f; unlock a }\n") == "circular");
}
