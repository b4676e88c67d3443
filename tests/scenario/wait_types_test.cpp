// Wait types of scenarios: every kind of lock and every wait, under every lock and in every
// context.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "scenario/read.hpp"

namespace wait_types_test {
namespace {

using wedge::finding_kind;
using wedge::wait_type;

bool is_refused(const std::string& text) {
    CAPTURE(text);
    wedge::scenario::check_options options = small_search();
    options.is_order_only = true;
    bool is_found = false;
    for (const wedge::finding& each : wedge::scenario::check(parsed(text), options).found.findings)
        is_found = is_found || each.kind == finding_kind::wait_type;
    return is_found;
}

/// Something that a task waits for, or takes.
struct wait_of {
    std::string declared;
    std::string statements;
    wait_type waits = wait_type::none;  ///< none: it may stand everywhere
};
/// A place in which a task may wait no longer than that; none: as long as it likes.
struct place_of {
    std::string declared;
    std::string before;
    std::string after;
    wait_type allows = wait_type::none;
    std::string outside = "thread t ";  ///< what the statements are the body of
};

const std::vector<wait_of>& waits() {
    static const std::vector<wait_of> all = [] {
        std::vector<wait_of> made;
        const auto add = [&](const std::string& declared, const std::string& statements,
                             wait_type how) {
            made.push_back({declared, statements, how});
        };
        const auto add_lock = [&](const std::string& kind, wait_type how) {
            add("lock x " + kind, "lock x; unlock x", how);
        };
        const auto add_readers = [&](const std::string& kind, wait_type how) {
            add_lock(kind, how);
            add("lock x " + kind, "read x; unlock x", how);
        };
        for (const char* kind : {"mutex", "rtmutex", "recursive_mutex", "ww_mutex"})
            add_lock(kind, wait_type::sleep);
        for (const char* kind : {"rwsem", "rw_semaphore", "percpu_rw_semaphore"})
            add_readers(kind, wait_type::sleep);
        for (const char* kind : {"rwlock", "qrwlock"}) add_readers(kind, wait_type::spin);
        for (const char* kind : {"spinlock", "local_lock", "seqlock"})
            add_lock(kind, wait_type::spin);
        add_lock("raw_spinlock", wait_type::raw);
        // A writer of a bare sequence count waits for no task, and a reader spins.
        add_lock("seqcount", wait_type::none);
        add("lock x seqcount", "read x { yield }", wait_type::none);
        add("lock x seqlock", "read x { yield }", wait_type::none);
        for (const char* kind : {"map", "rcu", "srcu"}) {
            add("lock x " + std::string(kind), "read x; unlock x", wait_type::none);
            add("lock x " + std::string(kind), "sync x", wait_type::sleep);
        }
        add("lock x mutex", "try lock x { unlock x }", wait_type::none);
        add("lock x mutex", "lock x timed { unlock x } else {}", wait_type::sleep);

        add("completion x", "wait x", wait_type::sleep);
        add("completion x", "wait x timeout {}", wait_type::sleep);
        add("completion x", "wait x interrupted {}", wait_type::sleep);
        add("completion x", "complete x", wait_type::none);
        add("fence x", "wait x", wait_type::sleep);
        add("fence x", "wait x timeout {}", wait_type::sleep);
        add("fence x", "signal x", wait_type::none);
        add("semaphore x = 1", "down x", wait_type::sleep);
        add("semaphore x = 1", "up x", wait_type::none);
        add("wait_queue x; counter k = 0", "wait x until k == 0", wait_type::sleep);
        add("wait_queue x; counter k = 0", "wait x until k == 0 timeout {}", wait_type::sleep);
        add("wait_queue x; counter k = 0", "wait x exclusive until k == 0", wait_type::sleep);
        add("wait_queue x", "wake x", wait_type::none);
        add("condition x; lock m spinlock", "lock m; wait x m; unlock m", wait_type::sleep);
        add("condition x", "notify x", wait_type::none);
        add("thread other { yield }", "join other", wait_type::sleep);
        for (const char* kind : {"work", "delayed_work"}) {
            const std::string declared = std::string(kind) + " x { yield }";
            add(declared, "queue x", wait_type::none);
            add(declared, "flush x", wait_type::sleep);
            add(declared, "cancel x", wait_type::sleep);
        }
        add("delayed_work x { yield }", "drop x", wait_type::none);
        add("timer x { yield }", "arm x", wait_type::none);
        add("timer x { yield }", "drop x", wait_type::none);
        add("timer x { yield }", "cancel x", wait_type::spin);
        add("irq_work x { yield }", "queue x", wait_type::none);
        add("irq_work x { yield }", "flush x", wait_type::sleep);
        add("refcount x = 2 { yield }", "put x", wait_type::none);
        add("notifier x { yield }", "invalidate", wait_type::sleep);
        for (const char* how : {"alloc 1 ", "might alloc "}) {
            add("", how + std::string("GFP_KERNEL"), wait_type::sleep);
            add("", how + std::string("GFP_NOFS|NORETRY"), wait_type::sleep);
            add("", how + std::string("GFP_NOWAIT"), wait_type::none);
            add("", how + std::string("GFP_ATOMIC"), wait_type::none);
        }
        add("", "reclaim", wait_type::sleep);
        add("", "yield", wait_type::none);
        return made;
    }();
    return all;
}

const std::vector<place_of>& places() {
    static const std::vector<place_of> all = [] {
        std::vector<place_of> made{
            {"", "", "", wait_type::none},
            {"", "irq off; ", "; irq on", wait_type::spin},
            {"", "bh off; ", "; bh on", wait_type::spin},
            {"", "hardirq { ", " }", wait_type::raw},
            {"", "hardirq threaded { ", " }", wait_type::spin},
            {"", "softirq { ", " }", wait_type::spin},
            {"", "", "", wait_type::raw, "handler h hardirq "},
            {"", "", "", wait_type::spin, "handler h hardirq threaded "},
            {"", "", "", wait_type::spin, "handler h softirq "},
            {"", "", "", wait_type::spin, "timer h "},
            {"", "", "", wait_type::raw, "irq_work h "},
            {"", "", "", wait_type::none, "work h "},
            {"", "", "", wait_type::none, "delayed_work h "},
            // A reader of a sequence count may wait; it reads again.
            {"lock o seqcount", "read o { ", " }", wait_type::none},
            {"lock o seqlock", "read o { ", " }", wait_type::none},
        };
        const auto add = [&](const std::string& kind, const std::string& how, wait_type allows) {
            made.push_back({"lock o " + kind, how + " o; ", "; unlock o", allows});
        };
        for (const char* kind : {"mutex", "rtmutex", "recursive_mutex", "ww_mutex"})
            add(kind, "lock", wait_type::none);
        for (const char* kind : {"rwsem", "rw_semaphore", "percpu_rw_semaphore"}) {
            add(kind, "lock", wait_type::none);
            add(kind, "read", wait_type::none);
        }
        for (const char* kind : {"rwlock", "qrwlock"}) {
            add(kind, "lock", wait_type::spin);
            add(kind, "read", wait_type::spin);
        }
        for (const char* kind : {"spinlock", "local_lock", "seqcount", "seqlock"})
            add(kind, "lock", wait_type::spin);
        add("raw_spinlock", "lock", wait_type::raw);
        add("rcu", "read", wait_type::spin);
        add("srcu", "read", wait_type::none);
        add("map", "read", wait_type::none);
        return made;
    }();
    return all;
}

}  // namespace

TEST_CASE("wait types of scenarios: each wait in each place") {
    for (const wait_of& wait : waits())
        for (const place_of& place : places()) {
            const bool is_allowed = wait.waits == wait_type::none ||
                                    place.allows == wait_type::none || wait.waits <= place.allows;
            const std::string text = wait.declared + "\n" + place.declared + "\n" + place.outside +
                                     "{ " + place.before + wait.statements + place.after + " }\n";
            CAPTURE(text);
            CHECK(is_refused(text) == !is_allowed);
        }
}

TEST_CASE("wait types of scenarios: the lock of a condition is no obstacle, others are") {
    const std::string text = "condition x; lock m spinlock; lock o spinlock\n";
    CHECK(!is_refused(text + "thread t { lock m; wait x m; unlock m }\n"));
    CHECK(is_refused(text + "thread t { lock o; lock m; wait x m; unlock m; unlock o }\n"));
}

TEST_CASE("wait types of scenarios: a sync is checked after other uses of its section") {
    const std::string text = "lock r rcu; lock o spinlock\n";
    CHECK(is_refused(text + "thread t { lock o; lock r; unlock r; sync r; unlock o }\n"));
    CHECK(!is_refused(text + "thread t { lock o; lock r; unlock r; unlock o; sync r }\n"));
}

TEST_CASE("wait types of scenarios: nested sections of RCU are no finding") {
    for (const std::string kind : {"rcu", "srcu"}) {
        const wedge::scenario::check_result nested =
            checked("lock r " + kind + "; lock m spinlock; lock s mutex\n" +
                    "thread one { read r; read r; unlock r; unlock r }\n"
                    "thread two { lock m; read r; unlock r; unlock m }\n"
                    "thread three { read r; lock m; unlock m; unlock r }\n"
                    "thread four { sync r }\n");
        CAPTURE(kind);
        CHECK(nested.what == "sound");
        CHECK(nested.found.findings.empty());
    }
}

}  // namespace wait_types_test
