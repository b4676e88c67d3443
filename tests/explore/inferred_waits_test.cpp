// Waits in the lock order of C++ code: one execution shows what a signaller takes first (rule 19d).
// Each workload is a pair: in the broken one a task waits under a lock that the signaller takes.
#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "wedge/explore.hpp"
#include "wedge/model/fence.hpp"
#include "wedge/report/text.hpp"
#include "wedge/wedge.hpp"

#include "support/explored.hpp"

namespace inferred_waits_of_code_test {

using wedge::finding;
using wedge::finding_kind;
using wedge::guard;
using wedge::result;
using wedge::verdict;

namespace {

/// Explores the first execution of the exhaustive search alone: each task runs to its end.
template <wedge::workload W>
wedge::outcome explored_once() {
    return explored<W>("", {.how = wedge::strategy::exhaustive, .executions_max = 1});
}

const finding* inferred_of(const wedge::outcome& out);

/// Explores a single execution, with several seeds, until one shows a cycle that is then built.
template <wedge::workload W>
wedge::outcome explored_by_seeds() {
    wedge::outcome out;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        out = explored<W>("", {.how = wedge::strategy::random, .seed = seed, .executions_max = 1});
        const finding* const found = inferred_of(out);
        if (found != nullptr && found->judged == verdict::confirmed) break;
    }
    return out;
}

const finding* inferred_of(const wedge::outcome& out) {
    const auto found = std::find_if(out.findings.begin(), out.findings.end(),
                                    [](const finding& each) { return has_inferred_wait(each); });
    return found == out.findings.end() ? nullptr : &*found;
}

/// Checks that an execution without a hang shows the cycle, whose hang is then built; and that the
/// repaired twin is silent, whatever is tried.
template <wedge::workload Broken, wedge::workload Repaired>
void check_pair(const std::string& what, const wedge::outcome& once = explored_once<Broken>()) {
    CAPTURE(wedge::text_of(once));
    const finding* const found = inferred_of(once);
    REQUIRE(found != nullptr);
    CHECK(found->kind == finding_kind::circular);
    CHECK(found->judged == verdict::confirmed);
    CHECK(found->what == what);
    CHECK(once.what == result::deadlock);
    // The schedule repeats the hang.
    const wedge::outcome again = wedge::replay<Broken>(found->best);
    CHECK(again.what == result::deadlock);
    CHECK(again.diverged.empty());

    CHECK(explored_once<Repaired>().findings.empty());
    const wedge::outcome all = explored_fully<Repaired>();
    CAPTURE(wedge::text_of(all));
    CHECK(all.findings.empty());
    CHECK(all.what == result::sound);
}

template <bool IsBroken>
struct completed {
    wedge::mutex dev{"dev"};
    wedge::completion done{"done"};

    void reset() {
        { const guard held(dev); }
        done.complete();
    }
    void ioctl() {
        if (IsBroken) {
            const guard held(dev);
            return done.wait();
        }
        { const guard held(dev); }
        done.wait();
    }
    static constexpr auto actions = wedge::actions(wedge::action<&completed::reset>{"reset"},
                                                   wedge::action<&completed::ioctl>{"ioctl"});
    static constexpr const char* name = IsBroken ? "completed_broken" : "completed";
};

template <bool IsBroken>
struct fenced {
    wedge::mutex ring{"ring"};
    wedge::fence drawn{"drawn"};

    void retire() {
        if (!IsBroken) drawn.signal();
        { const guard held(ring); }
        if (IsBroken) drawn.signal();
    }
    void submit() {
        const guard held(ring);
        drawn.wait();
    }
    static constexpr auto actions = wedge::actions(wedge::action<&fenced::retire>{"retire"},
                                                   wedge::action<&fenced::submit>{"submit"});
    static constexpr const char* name = IsBroken ? "fenced_broken" : "fenced";
};

template <bool IsBroken>
struct queued {
    wedge::mutex sb{"sb"};
    wedge::wait_queue idle{"idle"};
    wedge::atomic<int> users{1, "users"};

    void finish() {
        if (IsBroken) const guard held(sb);
        users.fetch_sub(1);
        idle.wake_up();
    }
    void freeze() {
        const guard held(sb);
        idle.wait([this] { return users.load() == 0; });
    }
    static constexpr auto actions = wedge::actions(wedge::action<&queued::finish>{"finish"},
                                                   wedge::action<&queued::freeze>{"freeze"});
    static constexpr const char* name = IsBroken ? "queued_broken" : "queued";
};

/// The condition's own lock is no obstacle for the task that makes it true; another lock is one.
template <bool IsBroken>
struct conditioned {
    wedge::mutex outer{"outer"};
    wedge::mutex m{"m"};
    wedge::condition ready{"ready"};
    bool is_ready = false;

    void make() {
        if (IsBroken) const guard held(outer);
        const guard held(m);
        is_ready = true;
        ready.notify_all();
    }
    void eat() {
        const guard held(outer);
        guard mine(m);
        while (!is_ready) ready.wait(mine);
    }
    static constexpr auto actions = wedge::actions(wedge::action<&conditioned::make>{"make"},
                                                   wedge::action<&conditioned::eat>{"eat"});
    static constexpr const char* name = IsBroken ? "conditioned_broken" : "conditioned";
};

template <bool IsBroken>
struct counted {
    wedge::mutex dev{"dev"};
    wedge::semaphore slots{IsBroken ? 1U : 2U, "slots"};

    void one() {
        slots.down();
        { const guard held(dev); }
        slots.up();
    }
    void two() {
        const guard held(dev);
        slots.down();
        slots.up();
    }
    static constexpr auto actions =
        wedge::actions(wedge::action<&counted::one>{"one"}, wedge::action<&counted::two>{"two"});
    static constexpr const char* name = IsBroken ? "counted_broken" : "counted";
};

template <bool IsBroken>
struct joined {
    wedge::mutex dev{"dev"};

    void stop() {
        wedge::thread worker([this] { const guard held(dev); }, "worker");
        if (IsBroken) {
            const guard held(dev);
            return worker.join();
        }
        { const guard held(dev); }
        worker.join();
    }
    static constexpr auto actions = wedge::actions(wedge::action<&joined::stop>{"stop"});
    static constexpr const char* name = IsBroken ? "joined_broken" : "joined";
};

/// A second task completes too, so the cycle never hangs.
struct completed_twice : completed<true> {
    void watchdog() { done.complete(); }
    static constexpr auto actions =
        wedge::actions(wedge::action<&completed_twice::reset>{"reset"},
                       wedge::action<&completed_twice::ioctl>{"ioctl"},
                       wedge::action<&completed_twice::watchdog>{"watchdog"});
    static constexpr const char* name = "completed_twice";
};

/// Each job has a completion of the same class. A task waits for the first one under the lock of
/// the second one's worker.
struct jobs {
    wedge::mutex first_lock{"job.lock"}, second_lock{"job.lock"};
    wedge::completion first{"job.done"}, second{"job.done"};

    void run_first() {
        { const guard held(first_lock); }
        first.complete();
    }
    void run_second() {
        { const guard held(second_lock); }
        second.complete();
    }
    void wait() {
        const guard held(second_lock);
        first.wait();
    }
    static constexpr auto actions = wedge::actions(wedge::action<&jobs::run_first>{"run_first"},
                                                   wedge::action<&jobs::run_second>{"run_second"},
                                                   wedge::action<&jobs::wait>{"wait"});
    static constexpr const char* name = "jobs";
};

}  // namespace

TEST_CASE("inferred waits of code: a completion under a lock that its signaller takes first") {
    check_pair<completed<true>, completed<false>>(
        "dev -> completion done here, completion done -> dev before");
}
TEST_CASE("inferred waits of code: a fence without declared sections") {
    check_pair<fenced<true>, fenced<false>>(
        "ring -> completion drawn here, completion drawn -> ring before");
}
TEST_CASE("inferred waits of code: a wait queue") {
    check_pair<queued<true>, queued<false>>(
        "sb -> condition idle here, condition idle -> sb before");
}
TEST_CASE("inferred waits of code: the end of a thread") {
    check_pair<joined<true>, joined<false>>(
        "dev -> the end of worker here, the end of worker -> dev before",
        explored_by_seeds<joined<true>>());
}
TEST_CASE("inferred waits of code: a semaphore's unit") {
    const wedge::outcome once = explored_by_seeds<counted<true>>();
    CAPTURE(wedge::text_of(once));
    REQUIRE(inferred_of(once) != nullptr);
    CHECK(inferred_of(once)->judged == verdict::confirmed);
    const wedge::outcome all = explored_fully<counted<false>>();
    CHECK(all.what == result::sound);
    REQUIRE(all.findings.size() == 1);
    CHECK(all.findings[0].judged == verdict::refuted);
    CHECK(all.findings[0].graded.is_inferred);
}

TEST_CASE("inferred waits of code: the lock of a condition is no obstacle, another lock is one") {
    const wedge::outcome broken = explored<conditioned<true>>();
    CHECK(broken.what == result::deadlock);
    const wedge::outcome repaired = explored_fully<conditioned<false>>();
    CAPTURE(wedge::text_of(repaired));
    CHECK(repaired.findings.empty());
    CHECK(repaired.what == result::sound);
}

TEST_CASE("inferred waits of code: another signaller refutes the cycle, or leaves it open") {
    const wedge::outcome all = explored_fully<completed_twice>();
    CAPTURE(wedge::text_of(all));
    CHECK(all.what == result::sound);
    REQUIRE(all.findings.size() == 1);
    CHECK(all.findings[0].judged == verdict::refuted);
    CHECK(all.findings[0].graded.is_inferred);
    const wedge::outcome once = explored_once<completed_twice>();
    REQUIRE(once.findings.size() == 1);
    CHECK(once.findings[0].judged == verdict::unresolved);
    CHECK(once.what == result::finding);
}

TEST_CASE("inferred waits of code: events of one class are told apart") {
    const wedge::outcome all = explored_fully<jobs>();
    CAPTURE(wedge::text_of(all));
    CHECK(all.findings.empty());
    CHECK(all.what == result::sound);
}

TEST_CASE("inferred waits of code: a hang that the search has met is reported alone") {
    const wedge::outcome all = explored_fully<completed<true>>();
    CHECK(all.what == result::deadlock);
    REQUIRE(all.findings.size() == 1);
    CHECK(all.findings[0].kind == finding_kind::deadlock);
}

}  // namespace inferred_waits_of_code_test
