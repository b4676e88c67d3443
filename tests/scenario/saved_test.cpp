// The check of a saved scenario shows the finding from which the scenario was written.
#include "wedge/scenario/saved.hpp"

#include <string>

#include <doctest/doctest.h>

#include "wedge/explore.hpp"
#include "wedge/lock/completion.hpp"
#include "wedge/lock/condition.hpp"
#include "wedge/lock/guard.hpp"
#include "wedge/lock/mutex.hpp"
#include "wedge/lock/semaphore.hpp"
#include "wedge/lock/shared_mutex.hpp"
#include "wedge/lock/spinlock.hpp"
#include "wedge/lock/thread.hpp"
#include "wedge/lock/work.hpp"
#include "wedge/model/fence.hpp"
#include "wedge/workload/workload.hpp"

namespace saved_test {

/// Takes two locks in both orders. The second task tries a third lock first; a reader takes no
/// part.
template <bool Repaired>
struct both_orders {
    wedge::mutex lock{"lock"}, list{"job list"}, log{"log"};  // names with a keyword and a blank

    void add() {
        const wedge::guard one(lock);
        const wedge::guard two(list);
    }
    void remove() {
        if (log.try_lock()) log.unlock();
        if (Repaired) return add();
        const wedge::guard one(list);
        const wedge::guard two(lock);
    }
    void write() {
        const wedge::guard held(log);
        const wedge::guard one(lock);
    }
    static constexpr auto actions = wedge::actions(wedge::action<&both_orders::add>{"add"},
                                                   wedge::action<&both_orders::remove>{"remove"},
                                                   wedge::action<&both_orders::write>{"write"});
    static constexpr const char* name = "both_orders";
};

/// A task waits for itself, so what is behind its wait never runs.
template <bool Repaired>
struct takes_twice {
    wedge::shared_mutex table{"table"};

    void take() {
        const wedge::guard held(table);
        if (!Repaired) look();
    }
    void look() { const wedge::shared_guard seen(table); }
    static constexpr auto actions = wedge::actions(wedge::action<&takes_twice::take>{"take"});
    static constexpr const char* name = "takes_twice";
};

/// Tests a flag outside of its lock, so the notification may come before the wait.
template <bool Repaired>
struct lost_wakeup {
    wedge::mutex table{"table"};
    wedge::condition filled{"filled"};
    bool is_filled = false;

    void consume() {
        wedge::guard held(table);
        while (!is_filled) filled.wait(held);
    }
    void produce() {
        {
            const wedge::guard held(table);
            is_filled = Repaired;
        }
        filled.notify_one();
    }
    static constexpr auto actions = wedge::actions(wedge::action<&lost_wakeup::consume>{"consume"},
                                                   wedge::action<&lost_wakeup::produce>{"produce"});
    static constexpr const char* name = "lost_wakeup";
};

/// Waits for a completion under the lock that the completing task needs.
template <bool Repaired>
struct completes {
    wedge::mutex table{"table"};
    wedge::completion done{"done"};

    void wait() {
        if (Repaired) return done.wait();
        const wedge::guard held(table);
        done.wait();
    }
    void complete() {
        { const wedge::guard held(table); }
        done.complete();
    }
    static constexpr auto actions = wedge::actions(wedge::action<&completes::wait>{"wait"},
                                                   wedge::action<&completes::complete>{"complete"});
    static constexpr const char* name = "completes";
};

/// Waits for a fence under the lock that the signalling section takes.
template <bool Repaired>
struct fences {
    wedge::signalling_map signallers;
    wedge::mutex ring{"ring"};
    wedge::fence done{"done", &signallers};

    void submit() {
        if (Repaired) return done.wait();
        const wedge::guard held(ring);
        done.wait();
    }
    void retire() {
        const wedge::signalling_section promise(signallers);
        { const wedge::guard held(ring); }
        done.signal();
    }
    static constexpr auto actions = wedge::actions(wedge::action<&fences::submit>{"submit"},
                                                   wedge::action<&fences::retire>{"retire"});
    static constexpr const char* name = "fences";
};

/// Takes two semaphores in both orders.
template <bool Repaired>
struct counts {
    wedge::semaphore slots{1, "slots"}, engines{1, "engines"};

    void submit() {
        slots.down();
        engines.down();
        engines.up();
        slots.up();
    }
    void reset() {
        if (Repaired) return submit();
        engines.down();
        slots.down();
        slots.up();
        engines.up();
    }
    static constexpr auto actions = wedge::actions(wedge::action<&counts::submit>{"submit"},
                                                   wedge::action<&counts::reset>{"reset"});
    static constexpr const char* name = "counts";
};

/// Joins a thread under the lock that the thread takes.
template <bool Repaired>
struct joins {
    wedge::mutex table{"table"};

    void stop() {
        wedge::thread worker([this] { const wedge::guard held(table); }, "worker");
        if (Repaired) return worker.join();
        const wedge::guard held(table);
        worker.join();
    }
    static constexpr auto actions = wedge::actions(wedge::action<&joins::stop>{"stop"});
    static constexpr const char* name = "joins";
};

/// Flushes a work under the lock that the work takes.
template <bool Repaired>
struct works {
    wedge::mutex dev{"dev"};
    wedge::work reset{[this] { const wedge::guard held(dev); }, "reset"};

    void remove() {
        reset.queue();
        if (Repaired) return reset.flush();
        const wedge::guard held(dev);
        reset.flush();
    }
    static constexpr auto actions = wedge::actions(wedge::action<&works::remove>{"remove"});
    static constexpr const char* name = "works";
};

/// Takes a read lock twice; a writer queues in between.
template <bool Repaired>
struct nested {
    wedge::shared_mutex pages{"pages"};

    void read() {
        const wedge::shared_guard held(pages);
        if (!Repaired) const wedge::shared_guard again(pages);
    }
    void write() { const wedge::guard held(pages); }
    static constexpr auto actions = wedge::actions(wedge::action<&nested::read>{"read"},
                                                   wedge::action<&nested::write>{"write"});
    static constexpr const char* name = "nested";
};

/// Two tasks retry forever. A saved scenario cannot contain such a loop.
struct retries {
    wedge::mutex a{"a"}, b{"b"};

    void there() { take(a, b); }
    void back() { take(b, a); }
    static void take(wedge::mutex& one, wedge::mutex& other) {
        for (;;) {
            const wedge::guard held(one);
            if (!other.try_lock()) continue;
            other.unlock();
            return;
        }
    }
    static constexpr auto actions = wedge::actions(wedge::action<&retries::there>{"there"},
                                                   wedge::action<&retries::back>{"back"});
    static constexpr const char* name = "retries";
};

template <wedge::workload W>
wedge::outcome explored_by(const char* program, wedge::strategy how = wedge::strategy::exhaustive) {
    wedge::explore_options options;
    options.how = how;
    options.executions_max = how == wedge::strategy::round_robin ? 3 : 20'000;
    return wedge::explore<W>(wedge::parse_program(program), options);
}

/// Checks that every finding that hangs has a scenario, whose check shows that finding.
template <wedge::workload W>
void check_saved(const char* program) {
    namespace scenario = wedge::scenario;
    std::size_t hangs = 0;
    for (const wedge::finding& each : explored_by<W>(program).findings) {
        if (!each.is_stuck()) continue;
        ++hangs;
        wedge::workload_subject what(wedge::type_of<W>, wedge::parse_program(program));
        const std::string text = scenario::scenario_of(what, each, "# found\n");
        INFO(text);
        REQUIRE(!text.empty());
        CHECK(text.starts_with("# found\n"));
        const scenario::check_result again =
            scenario::check(scenario::parse(text, "saved.wedge"), {});
        CHECK(again.is_met);
        CHECK(again.what == "deadlock");
        for (const wedge::finding& found : again.found.findings)
            CHECK(found.kind != wedge::finding_kind::held_at_exit);
    }
    CHECK(hangs != 0);
}
template <template <bool> class W>
void check_pair(const char* program) {
    CAPTURE(W<false>::name);
    check_saved<W<false>>(program);
    CHECK(explored_by<W<true>>(program).what == wedge::result::sound);
}

}  // namespace saved_test

using namespace saved_test;

TEST_CASE("saved scenario: a deadlock of locks, with the releases of these locks") {
    check_pair<both_orders>("add | remove | write");
    check_pair<nested>("read | write");
}
TEST_CASE("saved scenario: a task that waits for itself releases its locks behind the wait") {
    check_pair<takes_twice>("take");
}
TEST_CASE("saved scenario: deadlocks through other waits") {
    check_pair<completes>("wait | complete");
    check_pair<fences>("submit | retire");
    check_pair<counts>("submit | reset");
    check_pair<joins>("stop");
    check_pair<works>("remove");
}
TEST_CASE("saved scenario: a wait that is never woken") {
    check_saved<lost_wakeup<false>>("consume | produce");
    CHECK(explored_by<lost_wakeup<true>>("consume | produce").what == wedge::result::sound);
}
TEST_CASE("saved scenario: a hang in loops is not saved") {
    const wedge::outcome all = explored_by<retries>("there | back", wedge::strategy::round_robin);
    REQUIRE(!all.findings.empty());
    REQUIRE(all.findings.front().is_livelock());
    wedge::workload_subject what(wedge::type_of<retries>, wedge::parse_program("there | back"));
    CHECK(wedge::scenario::scenario_of(what, all.findings.front(), "").empty());
}
