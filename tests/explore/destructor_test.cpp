// Workloads whose destructors wait: for threads that the state owns, or for a condition.
#include <atomic>
#include <optional>

#include <doctest/doctest.h>

#include "wedge/explore.hpp"
#include "wedge/wedge.hpp"

namespace destructor_test {
using wedge::result;
using wedge::substrate;

namespace {

enum class fault { none, no_notify, no_mutex };

/// A member that owns a thread. The thread serves until the destructor stops it.
template <fault Fault>
struct pool {
    wedge::mutex m{"m"};
    wedge::condition work{"work"};
    int queued = 0;
    std::atomic<bool> is_stopped{false};
    wedge::thread worker{[this] { serve(); }, "worker"};

    ~pool() {
        if (Fault == fault::no_mutex) {
            is_stopped = true;
        } else {
            const wedge::guard held(m);
            is_stopped = true;
        }
        if (Fault != fault::no_notify) work.notify_all();
        worker.join();
    }
    void serve() {
        wedge::guard held(m);
        while (!is_stopped) {
            if (queued != 0)
                --queued;
            else
                work.wait(held);
        }
    }
    void put() {
        const wedge::guard held(m);
        ++queued;
        work.notify_one();
    }
    static constexpr auto actions = wedge::actions(wedge::action<&pool::put>{"put"});
};

/// An action starts the thread, and the state owns it from then on.
struct started_late {
    wedge::mutex m{"m"};
    std::optional<wedge::thread> child;
    int seen = 0;
    ~started_late() {
        if (child) child->join();
    }
    void start() {
        child.emplace([this] {
            const wedge::guard held(m);
            ++seen;
        });
    }
    void look() { const wedge::guard held(m); }
    static constexpr auto actions = wedge::actions(wedge::action<&started_late::start>{"start"},
                                                   wedge::action<&started_late::look>{"look"});
};

/// The destructor takes two locks in the inverse order of the thread that it joins afterwards.
struct inverted {
    wedge::mutex a{"a"}, b{"b"};
    wedge::condition go{"go"};
    wedge::thread worker{[this] {
                             const wedge::guard first(a);
                             const wedge::guard second(b);
                         },
                         "worker"};
    ~inverted() {
        {
            const wedge::guard first(b);
            const wedge::guard second(a);
        }
        worker.join();
    }
    void idle() { const wedge::guard only(a); }
    static constexpr auto actions = wedge::actions(wedge::action<&inverted::idle>{"idle"});
};

/// Waits in its destructor until no task is busy. An inversion beside it ends executions early.
template <bool IsInverted, bool IsReset>
struct busy {
    wedge::mutex m{"m"}, a{"a"}, b{"b"};
    wedge::condition c{"c"};
    int users = 0;
    ~busy() {
        const wedge::guard held(m);
        while (users != 0) c.wait(m);
    }
    void use(wedge::mutex& first, wedge::mutex& second) {
        {
            const wedge::guard held(m);
            ++users;
        }
        {
            const wedge::guard outer(first);
            const wedge::guard inner(second);
        }
        if (!IsReset) return;
        const wedge::guard held(m);
        --users;
        c.notify_all();
    }
    void ab() { use(a, b); }
    void ba() { IsInverted ? use(b, a) : use(a, b); }
    static constexpr auto actions =
        wedge::actions(wedge::action<&busy::ab>{"ab"}, wedge::action<&busy::ba>{"ba"});
};

/// The same wait in the destructor of an action's local object.
template <bool IsInverted>
struct local_busy {
    wedge::mutex m{"m"}, a{"a"}, b{"b"};
    wedge::condition c{"c"};
    int users = 0;
    struct user {
        local_busy& of;
        explicit user(local_busy& o) : of(o) {
            const wedge::guard held(of.m);
            ++of.users;
        }
        ~user() {
            const wedge::guard held(of.m);
            --of.users;
            of.c.notify_all();
            while (of.users != 0) of.c.wait(of.m);
        }
    };
    void use(wedge::mutex& first, wedge::mutex& second) {
        const user here(*this);
        const wedge::guard outer(first);
        const wedge::guard inner(second);
    }
    void ab() { use(a, b); }
    void ba() { IsInverted ? use(b, a) : use(a, b); }
    static constexpr auto actions =
        wedge::actions(wedge::action<&local_busy::ab>{"ab"}, wedge::action<&local_busy::ba>{"ba"});
};

template <substrate On>
struct on {
    static constexpr substrate value = On;
};

template <class W>
wedge::outcome explored(substrate where, wedge::strategy how = wedge::strategy::exhaustive) {
    const std::uint64_t most = how == wedge::strategy::exhaustive ? 100'000 : 50;
    return wedge::explore<W>(wedge::default_program<W>(),
                             {.how = how, .executions_max = most, .on = where});
}

}  // namespace

TEST_CASE_TEMPLATE("destructor: a destructor that joins the state's thread is explored", On,
                   on<substrate::automatic>, on<substrate::threads>) {
    CHECK(explored<pool<fault::none>>(On::value).what == result::sound);
    CHECK(explored<started_late>(On::value).what == result::sound);
    // The sanitizers keep the stack of an abandoned destructor registered.
    if (wedge::sanitizer::thread || wedge::sanitizer::address) return;
    const wedge::outcome no_notify = explored<pool<fault::no_notify>>(On::value);
    CHECK(no_notify.what == result::deadlock);
    CHECK(explored<pool<fault::no_mutex>>(On::value).what == result::deadlock);
    const wedge::outcome crossed = explored<inverted>(On::value);
    CHECK(crossed.what == result::deadlock);
    bool is_named = false;
    for (const wedge::finding& each : crossed.findings)
        for (const wedge::task_report& task : each.tasks)
            is_named = is_named || task.name == "destructor";
    CHECK(is_named);
}

TEST_CASE_TEMPLATE(
    "destructor: a destructor that waits in a loop ends with its abandoned execution", On,
    on<substrate::automatic>, on<substrate::threads>) {
    // TSan reports accesses of an abandoned stack as races with the next task on that memory.
    if (wedge::sanitizer::thread) return;
    CHECK(explored<busy<false, true>>(On::value).what == result::sound);
    CHECK(explored<local_busy<false>>(On::value).what == result::sound);
    if (wedge::sanitizer::thread || wedge::sanitizer::address) return;
    CHECK(explored<busy<true, true>>(On::value).what == result::deadlock);
    CHECK(explored<busy<true, true>>(On::value, wedge::strategy::random).executions == 50);
    CHECK(explored<local_busy<true>>(On::value).what == result::deadlock);
}

TEST_CASE_TEMPLATE("destructor: a destructor that is never woken is a deadlock", On,
                   on<substrate::automatic>, on<substrate::threads>) {
    if (wedge::sanitizer::thread || wedge::sanitizer::address) return;
    const wedge::outcome stuck = explored<busy<false, false>>(On::value);
    CHECK(stuck.what == result::deadlock);
    REQUIRE(stuck.findings.size() == 1);
    CHECK(stuck.findings[0].tasks.front().name == "destructor");
    CHECK(stuck.findings[0].tasks.front().waits_for == "condition c");
}

}  // namespace destructor_test
