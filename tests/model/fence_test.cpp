#include "wedge/model/fence.hpp"

#include <thread>

#include <doctest/doctest.h>

#include "wedge/explore.hpp"
#include "wedge/wedge.hpp"

using wedge::action;
using wedge::result;

TEST_CASE("fence: natively it stays signalled") {
    wedge::fence done("done");
    CHECK(!done.is_signalled());
    CHECK(!done.wait_for(std::chrono::milliseconds(1)));
    std::thread waiter([&] { done.wait(); });
    done.signal();
    waiter.join();
    done.signal();
    CHECK(done.is_signalled());
    done.wait();
}

namespace {

/// A fence of a job, which the action `signal` ends.
struct job {
    wedge::signalling_map signalling;
    wedge::fence done{"done", &signalling};
    wedge::mutex resv{"resv"};

    void wait() { done.wait(); }
    void wait_under_lock() {
        const wedge::guard held(resv);
        done.wait();
    }
    void signal() {
        const wedge::signalling_section promise(signalling);
        done.signal();
    }
    void signal_under_lock() {
        const wedge::signalling_section promise(signalling);
        const wedge::guard held(resv);
        done.signal();
    }
    static constexpr auto actions = wedge::actions(
        action<&job::wait>{"wait"}, action<&job::wait_under_lock>{"wait_under_lock"},
        action<&job::signal>{"signal"}, action<&job::signal_under_lock>{"signal_under_lock"});
};

wedge::outcome tried(const char* program) {
    return wedge::explore<job>(wedge::parse_program(program));
}

}  // namespace

TEST_CASE("fence: waiting under a lock that the signaller needs is a cycle, and hangs") {
    const wedge::outcome stuck = tried("wait_under_lock | signal_under_lock");
    CHECK(stuck.what == result::deadlock);
    const auto is_cycle = [](const wedge::finding& each) {
        return each.kind == wedge::finding_kind::circular &&
               each.signature.find("signalling") != std::string::npos;
    };
    CHECK(std::any_of(stuck.findings.begin(), stuck.findings.end(), is_cycle));
    CHECK(tried("wait_under_lock | signal").what == result::sound);
    CHECK(tried("wait | signal_under_lock").what == result::sound);
}
