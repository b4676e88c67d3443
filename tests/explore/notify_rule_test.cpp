#include "wedge/explore/notify_rule.hpp"

#include <atomic>

#include <doctest/doctest.h>

#include "wedge/explore/explore.hpp"
#include "wedge/wedge.hpp"

using wedge::result;

namespace {

/// A pool with one worker, which waits for work or for the end.
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
    /// The second notification has no lock of its own.
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

template <class Flag>
wedge::outcome explored(const char* program) {
    return wedge::explore<pool<Flag>>(wedge::parse_program(program));
}

}  // namespace

TEST_CASE_TEMPLATE("notify rule: a flag that is set without the mutex is not proved", Flag, bool,
                   std::atomic<bool>) {
    for (const char* stop : {"stop_unlocked", "stop_behind_another_lock", "stop_late"})
        for (const bool is_first : {false, true}) {
            // Nobody is seen to wait, so the mutex is not known.
            if (is_first && stop == std::string("stop_behind_another_lock")) continue;
            CAPTURE(stop);
            CAPTURE(is_first);
            const wedge::outcome out = explored<Flag>(
                (is_first ? std::string(stop) + " | worker" : std::string("worker | ") + stop)
                    .c_str());
            CHECK(out.what != result::sound);
            CHECK(!out.exhausted);
        }
    const wedge::outcome out = explored<Flag>("worker | stop_unlocked");
    if (out.what == result::unresolved) {
        CHECK(out.reason.find("stop_unlocked notifies cv at ") != std::string::npos);
        CHECK(out.reason.find("the store is no step") != std::string::npos);
    }
}

TEST_CASE_TEMPLATE("notify rule: who has held the mutex since is not held up", Flag, bool,
                   std::atomic<bool>) {
    for (const char* stop : {"stop_behind_the_lock", "stop_under_the_lock"})
        for (const char* workers : {"worker | ", "worker | worker | "}) {
            if (workers != std::string("worker | ") && stop != std::string("stop_behind_the_lock"))
                continue;
            CAPTURE(stop);
            const wedge::outcome out = explored<Flag>((std::string(workers) + stop).c_str());
            CHECK(out.what == result::sound);
            CHECK(out.exhausted);
        }
}

namespace {

/// A work has a condition and a mutex of wedge's own.
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

TEST_CASE("notify rule: wedge's own conditions keep it") {
    const wedge::outcome out = wedge::explore<with_work>(wedge::parse_program("queue_one"),
                                                         {.how = wedge::strategy::exhaustive});
    CHECK(out.reason == "");
    CHECK(out.what == result::sound);
}
