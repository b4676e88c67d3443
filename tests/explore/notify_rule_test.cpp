#include "wedge/explore/engine/notify_rule.hpp"

#include <atomic>
#include <cstdint>
#include <type_traits>

#include <doctest/doctest.h>

#include "wedge/explore.hpp"
#include "wedge/wedge.hpp"

using wedge::result;

namespace {

/// A pool with one worker, which waits for work or for `stop`.
template <class Flag>
struct pool {
    wedge::mutex m{"m"};
    wedge::condition cv{"cv"};
    Flag stop = false;

    void worker() {
        const wedge::guard held(m);
        while (!stop) cv.wait(m);
    }
    void stop_unlocked() {
        stop = true;
        cv.notify_all();
    }
    void stop_behind_the_lock() {
        {
            const wedge::guard held(m);
            stop = true;
        }
        cv.notify_all();
    }
    void stop_under_the_lock() {
        const wedge::guard held(m);
        stop = true;
        cv.notify_one();
    }
    void stop_behind_another_lock() {
        { const wedge::guard held(other); }
        stop = true;
        cv.notify_all();
    }
    /// Notifies a second time without taking the lock again.
    void stop_late() {
        { const wedge::guard held(m); }
        cv.notify_all();
        stop = true;
        cv.notify_all();
    }
    static constexpr auto actions =
        wedge::actions(wedge::action<&pool::worker>{"worker"},
                       wedge::action<&pool::stop_unlocked>{"stop_unlocked"},
                       wedge::action<&pool::stop_behind_the_lock>{"stop_behind_the_lock"},
                       wedge::action<&pool::stop_under_the_lock>{"stop_under_the_lock"},
                       wedge::action<&pool::stop_behind_another_lock>{"stop_behind_another_lock"},
                       wedge::action<&pool::stop_late>{"stop_late"});
    wedge::mutex other{"other"};
};

/// A search goes on after the deadlock, for proofs; the deadlock comes within the first executions.
constexpr std::uint64_t executions = wedge::sanitizer::any ? 250 : 20'000;

template <class Flag>
wedge::outcome notified_outcome(const char* program) {
    return wedge::explore<pool<Flag>>(wedge::parse_program(program));
}

}  // namespace

TEST_CASE_TEMPLATE("notify rule: a store before a notification is missed, and that is found", Flag,
                   bool, std::atomic<bool>) {
    if (wedge::sanitizer::thread && std::is_same_v<Flag, bool>)
        return;  // TSan reports the race itself
    for (const char* stop : {"stop_unlocked", "stop_behind_another_lock", "stop_late"})
        for (const bool is_first : {false, true}) {
            if (is_first && wedge::sanitizer::any)
                continue;  // a plain bool and an atomic are the same code here
            for (const wedge::strategy how :
                 {wedge::strategy::exhaustive, wedge::strategy::portfolio}) {
                CAPTURE(stop);
                CAPTURE(is_first);
                const wedge::outcome out = wedge::explore<pool<Flag>>(
                    wedge::parse_program(is_first ? std::string(stop) + " | worker"
                                                  : std::string("worker | ") + stop),
                    {.how = how, .executions_max = executions});
                CHECK(out.what == result::deadlock);
            }
        }
}

namespace {

/// The condition is made by an action, so that tasks do not begin by a step.
struct late_condition {
    wedge::mutex m{"m"};
    std::atomic<bool> stop = false;  // TSan would report the race of a bool

    void run() {
        wedge::condition cv{"cv"};
        wedge::thread stopper([&] {
            stop = true;
            cv.notify_all();
        });
        {
            const wedge::guard held(m);
            while (!stop) cv.wait(m);
        }
        stopper.join();
    }
    static constexpr auto actions = wedge::actions(wedge::action<&late_condition::run>{"run"});
};

}  // namespace

TEST_CASE("notify rule: a thread that an action starts begins with a step too") {
    const wedge::outcome out =
        wedge::explore<late_condition>(wedge::parse_program("run"), {.executions_max = executions});
    CHECK(out.what == result::deadlock);
}

namespace {

/// Tasks of plain functions do not begin by a step: their state is made before the execution.
wedge::outcome explored_as_functions(bool is_locked) {
    wedge::mutex m{"m"};
    wedge::condition cv{"cv"};
    std::atomic<bool> stop = false;  // TSan would report the race of a bool
    return wedge::explore({[&] {
                               const wedge::guard held(m);
                               while (!stop) cv.wait(m);
                               stop = false;
                           },
                           [&] {
                               if (is_locked) m.lock();
                               stop = true;
                               if (is_locked) m.unlock();
                               cv.notify_all();
                           }});
}

}  // namespace

TEST_CASE("notify rule: no proof is given if the search cannot move the store") {
    const wedge::outcome out = explored_as_functions(false);
    CHECK(out.what != result::sound);
    CHECK(!out.exhausted);
    if (out.what == result::unresolved)
        CHECK(out.reason.find("the store is no step") != std::string::npos);
    CHECK(explored_as_functions(true).what == result::sound);
}

TEST_CASE_TEMPLATE("notify rule: a task that has held the mutex since then is not affected", Flag,
                   bool, std::atomic<bool>) {
    for (const char* stop : {"stop_behind_the_lock", "stop_under_the_lock"})
        for (const char* workers : {"worker | ", "worker | worker | "}) {
            if (workers != std::string("worker | ") && stop != std::string("stop_behind_the_lock"))
                continue;
            CAPTURE(stop);
            const wedge::outcome out =
                notified_outcome<Flag>((std::string(workers) + stop).c_str());
            CHECK(out.what == result::sound);
            CHECK(out.exhausted);
        }
}

namespace {

/// A work item has an internal condition and an internal mutex.
struct with_work {
    wedge::mutex m{"m"};
    void queue_one() {
        wedge::work each([this] { const wedge::guard held(m); });
        each.queue();
        each.flush();
    }
    static constexpr auto actions =
        wedge::actions(wedge::action<&with_work::queue_one>{"queue_one"});
};

}  // namespace

TEST_CASE("notify rule: wedge's internal conditions obey the rule") {
    const wedge::outcome out = wedge::explore<with_work>(wedge::parse_program("queue_one"),
                                                         {.how = wedge::strategy::exhaustive});
    CHECK(out.reason == "");
    CHECK(out.what == result::sound);
}
