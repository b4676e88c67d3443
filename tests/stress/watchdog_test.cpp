// The watchdog alone, on published steps, with a clock that the test sets.
#include "wedge/stress/watchdog.hpp"

#include <atomic>
#include <fstream>
#include <string>
#include <thread>

#include <doctest/doctest.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using wedge::event_kind;
using wedge::mode;

struct scene {
    wedge::watchdog::tasks tasks;
    wedge::watchdog dog{10s};
    wedge::watchdog::clock::time_point now{};

    explicit scene(std::size_t n) {
        for (std::size_t i = 0; i < n; ++i)
            tasks.push_back(std::make_shared<wedge::published_task>("t" + std::to_string(i)));
    }
    void step(std::size_t task, event_kind kind, const char* lock, mode how = mode::exclusive,
              wedge::flags with = wedge::flags::none) {
        const std::uint32_t id = wedge::lock_class(lock).id();
        tasks[task]->publish(
            {.kind = kind, .how = how, .with = with, .class_id = id, .instance = id});
    }
    void take(std::size_t task, const char* lock, mode how = mode::exclusive,
              wedge::flags with = wedge::flags::none) {
        step(task, event_kind::attempt, lock, how, with);
        step(task, event_kind::acquired, lock, how, with);
    }
    void want(std::size_t task, const char* lock, mode how = mode::exclusive) {
        step(task, event_kind::attempt, lock, how);
    }
    std::optional<wedge::finding> look(std::chrono::milliseconds later = 1ms) {
        now += later;
        return dog.look(tasks, now);
    }
};

}  // namespace

TEST_CASE("watchdog: a cycle that stands still is a deadlock at the second look") {
    scene s(3);
    s.take(0, "wa");
    s.take(1, "wb");
    s.take(2, "wc");
    s.want(0, "wb");
    s.want(1, "wc");
    s.want(2, "wa");
    CHECK_FALSE(s.look());
    const auto found = s.look();
    REQUIRE(found);
    CHECK(found->cycle.size() == 3);
    CHECK(found->signature == "cycle wa/EE wb/EE wc/EE");
    CHECK(found->tasks.size() == 3);
}

TEST_CASE("watchdog: a cycle with a task that moved between the looks is none") {
    scene s(2);
    s.take(0, "wa");
    s.take(1, "wb");
    s.want(0, "wb");
    s.want(1, "wa");
    CHECK_FALSE(s.look());
    s.tasks[1]->count();
    CHECK_FALSE(s.look());
    CHECK(s.look());
}

TEST_CASE("watchdog: a queue is no cycle, and readers do not wait for readers") {
    scene s(2);
    s.take(0, "wa", mode::shared);
    s.take(1, "wb", mode::shared);
    s.want(0, "wb", mode::shared);
    s.want(1, "wa", mode::shared);
    for (int i = 0; i < 3; ++i) CHECK_FALSE(s.look());
    scene writers(2);
    writers.take(0, "wa", mode::shared);
    writers.take(1, "wb", mode::shared);
    writers.want(0, "wb");
    writers.want(1, "wa");
    CHECK_FALSE(writers.look());
    CHECK(writers.look());
}

TEST_CASE("watchdog: a wait for sections ends with them, and a cycle through it is a deadlock") {
    scene s(2);
    const wedge::lock_class sections("ws", {.never_waits = true});
    s.step(0, event_kind::acquired, "ws", mode::recursive_shared);
    s.take(1, "wa");
    s.step(1, event_kind::sync, "ws");
    CHECK_FALSE(s.look());
    CHECK_FALSE(s.look());  // the section goes on
    s.want(0, "wa");
    CHECK_FALSE(s.look());
    const auto found = s.look();
    REQUIRE(found);
    CHECK(found->cycle.size() == 2);
    s.step(1, event_kind::wake, "ws");
    for (int i = 0; i < 3; ++i) CHECK_FALSE(s.look());
}

TEST_CASE("watchdog: a task that waits for the end of a round is neither late nor stuck") {
    scene s(2);
    s.tasks[0]->await_turn(true);
    for (int i = 0; i < 30; ++i) {
        s.tasks[1]->count();
        CHECK_FALSE(s.look(1s));
    }
    s.tasks[0]->await_turn(false);
    CHECK_FALSE(s.look(1s));
    s.tasks[1]->publish({.kind = event_kind::context_enter}, "looks");
    bool is_found = false;
    for (int i = 0; i < 11 && !is_found; ++i) is_found = s.look(1s).has_value();
    CHECK(is_found);
}

TEST_CASE("watchdog: a timed wait ends by itself") {
    scene s(2);
    s.take(0, "wa");
    s.take(1, "wb");
    s.want(0, "wb");
    s.step(1, event_kind::attempt, "wa", mode::exclusive, wedge::flags::timed);
    for (int i = 0; i < 3; ++i) CHECK_FALSE(s.look());
    s.step(1, event_kind::failed, "wa");
    s.want(1, "wa");
    CHECK_FALSE(s.look());
    CHECK(s.look());
}

TEST_CASE("watchdog: a cycle of tickets may end by a back-off, a wait without a ticket may not") {
    using wedge::flags;
    scene s(2);
    for (const std::size_t task : {0U, 1U})
        s.take(task, task == 0 ? "wa" : "wb", mode::exclusive, flags::ticketed);
    s.step(0, event_kind::attempt, "wb", mode::exclusive, flags::ticketed);
    s.step(1, event_kind::attempt, "wa", mode::exclusive, flags::ticketed);
    for (int i = 0; i < 3; ++i) CHECK_FALSE(s.look());
    // The other task cannot be wounded where it waits, so this is a deadlock.
    s.step(1, event_kind::back_off, "wa", mode::exclusive, flags::ticketed);
    s.want(1, "wa");
    s.step(0, event_kind::back_off, "wb", mode::exclusive, flags::ticketed);
    s.want(0, "wb");
    CHECK_FALSE(s.look());
    CHECK(s.look());
}

TEST_CASE("watchdog: a task that was told to back off waits for nothing") {
    scene s(2);
    s.take(0, "wa");
    s.take(1, "wb");
    s.want(0, "wb");
    s.want(1, "wa");
    s.step(1, event_kind::back_off, "wa");
    for (int i = 0; i < 3; ++i) CHECK_FALSE(s.look());
}

TEST_CASE("watchdog: a holder that waits under a mutex cannot be wounded there") {
    scene s(2);
    s.take(0, "wa", mode::exclusive, wedge::flags::ticketed);
    s.take(1, "wm");
    s.want(0, "wm");
    s.step(1, event_kind::attempt, "wa", mode::exclusive, wedge::flags::ticketed);
    CHECK_FALSE(s.look());
    CHECK(s.look());
}

TEST_CASE("watchdog: a task that waits for its own lock") {
    scene s(1);
    s.take(0, "wa");
    s.want(0, "wa");
    CHECK_FALSE(s.look());
    CHECK(s.look());
}

TEST_CASE("watchdog: a task that has not moved for its patience, and one that has ended") {
    scene s(2);
    s.take(0, "wa");
    s.step(0, event_kind::wait, "ready");
    s.tasks[1]->end();
    CHECK_FALSE(s.look());
    CHECK_FALSE(s.look(9s));
    const auto found = s.look(2s);
    REQUIRE(found);
    CHECK(found->cycle.empty());
    CHECK(found->tasks[0].waits_for == "condition ready");
    CHECK(found->tasks[1].waits_for == "");
    s.tasks[0]->count();
    CHECK_FALSE(s.look());
}

TEST_CASE("watchdog: a released lock keeps no task waiting") {
    scene s(2);
    s.take(0, "wa");
    s.take(1, "wb");
    s.want(1, "wa");
    s.step(0, event_kind::released, "wa");
    s.want(0, "wb");
    for (int i = 0; i < 3; ++i) CHECK_FALSE(s.look());
}

TEST_CASE("watchdog: no task waits for a pseudo-lock") {
    static_cast<void>(wedge::lock_class("wmap", {.never_waits = true}));
    scene s(2);
    s.take(0, "wmap");
    s.take(1, "wb");
    s.want(0, "wb");
    s.want(1, "wmap");
    for (int i = 0; i < 3; ++i) CHECK_FALSE(s.look());
}

TEST_CASE("watchdog: a task that takes steps and ends no call is in a livelock, its twin is not") {
    scene s(1);
    CHECK_FALSE(s.look());
    for (int i = 0; i < 9; ++i) {
        s.take(0, "wa");
        s.step(0, event_kind::released, "wa");
        CHECK_FALSE(s.look(1s));
    }
    s.step(0, event_kind::try_failed, "wa");
    s.tasks[0]->publish({.kind = event_kind::try_failed}, "retry");
    const auto found = s.look(1s);
    REQUIRE(found);
    CHECK(found->kind == wedge::finding_kind::livelock);
    CHECK(found->what == "t0 (retry) takes steps, and its call does not end");
    CHECK(found->tasks[0].action == "retry");
    scene ends(1);
    for (int i = 0; i < 30; ++i) {
        ends.take(0, "wa");
        ends.step(0, event_kind::released, "wa");
        ends.tasks[0]->count();
        CHECK_FALSE(ends.look(1s));
    }
}

namespace {

/// A thread that waits for another thread (`Waits`), or sleeps in the read of a pipe.
template <bool Waits>
class sleeping_thread {
public:
    sleeping_thread() {
        REQUIRE(::pipe(ends_) == 0);
        thread_ = std::thread([this] {
            number_.store(static_cast<int>(::syscall(SYS_gettid)));
            char byte = 0;
            if (Waits)
                is_over_.wait(0);
            else
                static_cast<void>(::read(ends_[0], &byte, 1));
        });
        while (!is_sleeping()) std::this_thread::yield();
    }
    sleeping_thread(const sleeping_thread&) = delete;
    sleeping_thread& operator=(const sleeping_thread&) = delete;
    ~sleeping_thread() {
        is_over_.store(1);
        is_over_.notify_all();
        ::close(ends_[1]);
        thread_.join();
        ::close(ends_[0]);
    }

private:
    bool is_sleeping() const {
        std::ifstream stat("/proc/self/task/" + std::to_string(number_.load()) + "/stat");
        std::string text;
        std::getline(stat, text);
        return text.find(") S ") != std::string::npos;
    }

    int ends_[2] = {};
    std::atomic<int> number_{0};
    std::atomic<int> is_over_{0};
    std::thread thread_;
};

/// Returns whether a task is taken for stuck that has stood still for two seconds since this step.
bool is_stuck_after(event_kind kind, wedge::flags with = wedge::flags::none) {
    scene s(1);
    const std::uint32_t id = wedge::lock_class("ready").id();
    s.tasks[0]->publish({.kind = kind, .with = with, .class_id = id, .instance = id}, "act");
    const bool was_early = s.look().has_value() || s.look(500ms).has_value();
    return !was_early && s.look(2s).has_value();
}

}  // namespace

TEST_CASE("watchdog: a task is stuck early only in a wait without a limit") {
    if (wedge::sanitizer::thread) return;  // its own thread sleeps with a time limit
    const sleeping_thread<true> waiting;
    CHECK_FALSE(is_stuck_after(event_kind::acquired));
    CHECK_FALSE(is_stuck_after(event_kind::attempt, wedge::flags::timed));
    CHECK_FALSE(is_stuck_after(event_kind::wait, wedge::flags::timed));
    CHECK(is_stuck_after(event_kind::attempt));
    CHECK(is_stuck_after(event_kind::wait));
}

TEST_CASE("watchdog: a thread that sleeps in a read may still wake the tasks") {
    const sleeping_thread<true> waiting;
    const sleeping_thread<false> reading;
    CHECK_FALSE(is_stuck_after(event_kind::wait));
}
