// Waits in the lock order of C++ code: one execution shows what a signaller takes first (rule 19d).
// Each workload is a pair: in the broken twin a task waits under a lock that the signaller takes.
#include <algorithm>
#include <chrono>
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

const finding* inferred_of(const wedge::outcome& out) {
    const auto found = std::find_if(out.findings.begin(), out.findings.end(),
                                    [](const finding& each) { return has_inferred_wait(each); });
    return found == out.findings.end() ? nullptr : &*found;
}

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

/// Checks that an execution without a hang shows the cycle, whose hang is then built; and that a
/// search of every schedule reports nothing about the repaired twin.
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

/// Broken with one unit: two tasks use the semaphore.
template <std::uint32_t Units>
struct counted {
    wedge::mutex dev{"dev"};
    wedge::semaphore slots{Units, "slots"};

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
    static constexpr const char* name = Units == 1 ? "counted_broken" : "counted";
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

/// Many schedules, so that a search of some of them tries few in full.
struct noisy {
    wedge::mutex x{"x"}, y{"y"};

    void noise() {
        for (int i = 0; i < 6; ++i) {
            { const guard held(x); }
            { const guard held(y); }
        }
    }
};

/// Two tasks start a worker each, and the schedule decides the order. The first one waits for its
/// worker under the lock that the worker takes only in the broken twin.
template <bool IsBroken>
struct spawning : noisy {
    wedge::mutex one{"one"}, two{"two"};

    void first() {
        wedge::thread worker(
            [this] {
                { const guard held(one); }
                if (IsBroken) const guard held(two);
            },
            "worker");
        const guard held(two);
        worker.join();
    }
    void second() {
        wedge::thread worker([this] { const guard held(two); }, "worker");
        worker.join();
    }
    static constexpr auto actions = wedge::actions(wedge::action<&spawning::first>{"first"},
                                                   wedge::action<&spawning::second>{"second"},
                                                   wedge::action<&noisy::noise>{"noise"});
    static constexpr const char* name = IsBroken ? "spawning_broken" : "spawning";
};

/// The same for completions that threads make.
template <bool IsBroken>
struct making : noisy {
    wedge::mutex one{"one"}, two{"two"};

    static void serve(wedge::mutex& taken, wedge::mutex* held_by_waiter) {
        wedge::completion done{"done"};
        wedge::thread helper(
            [&] {
                { const guard held(taken); }
                done.complete();
            },
            "helper");
        if (held_by_waiter != nullptr) held_by_waiter->lock();
        done.wait();
        if (held_by_waiter != nullptr) held_by_waiter->unlock();
        helper.join();
    }
    void first() {
        wedge::thread worker([this] { serve(IsBroken ? two : one, &two); }, "worker");
        worker.join();
    }
    void second() {
        wedge::thread worker([this] { serve(two, nullptr); }, "worker");
        worker.join();
    }
    static constexpr auto actions = wedge::actions(wedge::action<&making::first>{"first"},
                                                   wedge::action<&making::second>{"second"},
                                                   wedge::action<&noisy::noise>{"noise"});
    static constexpr const char* name = IsBroken ? "making_broken" : "making";
};

/// The signaller gives up if the lock is not free in time, or waits for as long as it takes.
template <bool IsBroken>
struct patient : noisy {
    wedge::timed_mutex dev{"dev"};
    wedge::completion done{"done"};

    void reset() {
        if (IsBroken) {
            const guard held(dev);
        } else if (dev.try_lock_for(std::chrono::seconds(1))) {
            dev.unlock();
        }
        done.complete();
    }
    void ioctl() {
        const guard held(dev);
        done.wait();
    }
    static constexpr auto actions = wedge::actions(wedge::action<&patient::reset>{"reset"},
                                                   wedge::action<&patient::ioctl>{"ioctl"},
                                                   wedge::action<&noisy::noise>{"noise"});
    static constexpr const char* name = IsBroken ? "patient_broken" : "patient";
};

/// Both tasks read, or one of them writes.
template <bool IsBroken>
struct reading : noisy {
    wedge::shared_mutex dev{"dev"};
    wedge::completion done{"done"};

    void reset() {
        if (IsBroken)
            const guard held(dev);
        else
            const wedge::shared_guard held(dev);
        done.complete();
    }
    void ioctl() {
        const wedge::shared_guard held(dev);
        done.wait();
    }
    static constexpr auto actions = wedge::actions(wedge::action<&reading::reset>{"reset"},
                                                   wedge::action<&reading::ioctl>{"ioctl"},
                                                   wedge::action<&noisy::noise>{"noise"});
    static constexpr const char* name = IsBroken ? "reading_broken" : "reading";
};

/// The condition is true from the start, or only a task makes it true.
template <bool IsBroken>
struct true_at_once : noisy {
    wedge::mutex dev{"dev"};
    wedge::wait_queue idle{"idle"};
    wedge::atomic<int> users{IsBroken ? 1 : 0, "users"};

    void finish() {
        { const guard held(dev); }
        users.store(0);
        idle.wake_up();
    }
    void freeze() {
        const guard held(dev);
        idle.wait([this] { return users.load() == 0; });
    }
    static constexpr auto actions = wedge::actions(wedge::action<&true_at_once::finish>{"finish"},
                                                   wedge::action<&true_at_once::freeze>{"freeze"},
                                                   wedge::action<&noisy::noise>{"noise"});
    static constexpr const char* name = IsBroken ? "true_at_once_broken" : "true_at_once";
};

template <std::uint32_t Units>
struct pooled : counted<Units>, noisy {
    static constexpr auto actions =
        wedge::actions(wedge::action<&pooled::one>{"one"}, wedge::action<&pooled::two>{"two"},
                       wedge::action<&noisy::noise>{"noise"});
    static constexpr const char* name = Units == 1 ? "pooled_broken" : "pooled";
};

/// Checks that a part of the schedules shows the hang of the broken workload, and nothing of the
/// repaired one.
template <wedge::workload Broken, wedge::workload Repaired>
void check_noisy_pair() {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        const wedge::explore_options some{
            .how = wedge::strategy::random, .seed = seed, .executions_max = 300};
        const wedge::outcome broken = explored<Broken>("", some);
        CAPTURE(wedge::text_of(broken));
        CHECK(broken.what == result::deadlock);
        const wedge::outcome repaired = explored<Repaired>("", some);
        CAPTURE(wedge::text_of(repaired));
        CHECK(repaired.findings.empty());
    }
}

}  // namespace

TEST_CASE("inferred waits of code: a cycle closes within one execution") {
    check_noisy_pair<spawning<true>, spawning<false>>();
    check_noisy_pair<making<true>, making<false>>();
}
TEST_CASE("inferred waits of code: an acquire that may give up keeps nobody from a signal") {
    check_noisy_pair<patient<true>, patient<false>>();
}
TEST_CASE("inferred waits of code: readers keep no readers from a signal") {
    check_noisy_pair<reading<true>, reading<false>>();
}
TEST_CASE("inferred waits of code: a condition that is true at once") {
    check_noisy_pair<true_at_once<true>, true_at_once<false>>();
}
TEST_CASE("inferred waits of code: a semaphore with free units") {
    check_noisy_pair<pooled<1>, pooled<4>>();
}

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
        "sb -> condition idle here, condition idle -> sb before",
        explored_by_seeds<queued<true>>());
}
TEST_CASE("inferred waits of code: the end of a thread") {
    check_pair<joined<true>, joined<false>>(
        "dev -> the end of worker here, the end of worker -> dev before",
        explored_by_seeds<joined<true>>());
}
TEST_CASE("inferred waits of code: a semaphore's unit") {
    const wedge::outcome once = explored_by_seeds<counted<1>>();
    CAPTURE(wedge::text_of(once));
    REQUIRE(inferred_of(once) != nullptr);
    CHECK(inferred_of(once)->judged == verdict::confirmed);
    const wedge::outcome all = explored_fully<counted<2>>();
    CHECK(all.what == result::sound);
    CHECK(all.findings.empty());
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
