// The explorer makes the choices that the model leaves open, records them and repeats them.
#include <shared_mutex>

#include <doctest/doctest.h>

#include "explore/workloads.hpp"

namespace choices_test {
using wedge::action;
using wedge::outcome;
using wedge::result;

namespace {

template <class W>
outcome tried(const char* program, wedge::explore_options options) {
    options.how = wedge::strategy::exhaustive;
    return wedge::explore<W>(wedge::parse_program(program), options);
}

/// Each action is correct under one policy of a lock only.
struct readers {
    wedge::shared_mutex fair{"fair"};
    // The class allows nested readers, which the standard's rule would report.
    wedge::checked<std::shared_mutex> native{
        wedge::lock_class("native with nested reads", {.reads_nest = true})};

    void read_fair() {
        const wedge::shared_guard first(fair);
        const wedge::shared_guard again(fair);
    }
    void write_fair() { const wedge::guard held(fair); }
    void read_native() {
        const wedge::shared_guard first(native);
        const wedge::shared_guard again(native);
    }
    void write_native() { const wedge::guard held(native); }
    static constexpr auto actions = wedge::actions(action<&readers::read_fair>{"read_fair"},
                                                   action<&readers::write_fair>{"write_fair"},
                                                   action<&readers::read_native>{"read_native"},
                                                   action<&readers::write_native>{"write_native"});
};

struct careless {
    wedge::mutex lock{"lock"};
    wedge::condition changed{"changed"};
    bool is_ready = false;

    void wait_if() {
        wedge::guard held(lock);
        if (!is_ready) changed.wait(held);
        if (!is_ready) throw std::logic_error("woke too early");
    }
    void wait_while() {
        wedge::guard held(lock);
        changed.wait(held, [&] { return is_ready; });
    }
    void set() {
        const wedge::guard held(lock);
        is_ready = true;
        changed.notify_all();
    }
    static constexpr auto actions =
        wedge::actions(action<&careless::wait_if>{"wait_if"},
                       action<&careless::wait_while>{"wait_while"}, action<&careless::set>{"set"});
};

struct signalled {
    wedge::mutex a{"a"}, b{"b"};
    void take(std::uint32_t order) {
        wedge::mutex& first = order == 0 ? a : b;
        wedge::mutex& second = order == 0 ? b : a;
        if (!wedge::lock_interruptible(first)) return;
        if (wedge::lock_interruptible(second)) second.unlock();
        first.unlock();
    }
    static constexpr auto actions = wedge::actions(action<&signalled::take>{"take"});
};

}  // namespace

TEST_CASE(
    "policies: --all-policies tries every policy, otherwise only the policy of the kind is tried") {
    constexpr wedge::explore_options all{.all_policies = true};
    CHECK(tried<readers>("read_native | write_native", {}).what == result::sound);
    const outcome writers = tried<readers>("read_native | write_native", all);
    CHECK(writers.what == result::deadlock);
    CHECK(tried<readers>("read_native | read_native", all).what == result::sound);
    CHECK(tried<readers>("read_fair | write_fair", {}).what == result::deadlock);
    // The schedule records the policy that it was made under.
    CHECK(writers.best.open == wedge::model_options{.all_policies = true});
    const outcome again = wedge::replay<readers>(writers.best);
    CHECK(again.what == result::deadlock);
    CHECK(again.diverged.empty());
    wedge::schedule forgetful = writers.best;
    forgetful.open = {};
    CHECK(wedge::replay<readers>(forgetful).what != result::deadlock);
}

TEST_CASE("spurious wake-ups: where they are on, a wait without a loop is found") {
    constexpr wedge::explore_options spurious{.spurious_wakeups = true};
    CHECK(tried<careless>("wait_if | set", {}).what == result::sound);
    const outcome careless_wait = tried<careless>("wait_if | set", spurious);
    CHECK(careless_wait.what == result::exception);
    CHECK(wedge::replay<careless>(careless_wait.best).what == result::exception);
    const outcome loops = tried<careless>("wait_while | wait_while | set", spurious);
    CHECK(loops.what == result::sound);
    CHECK(loops.exhausted);
}

TEST_CASE("spurious wake-ups: a lost notification is found although they are on") {
    constexpr wedge::explore_options spurious{.spurious_wakeups = true};
    using workloads::hand_over;
    CHECK(tried<hand_over>("wait_blindly | set", spurious).what == result::deadlock);
    CHECK(tried<careless>("wait_while", spurious).what == result::deadlock);
}

TEST_CASE("interrupts: a signal may end a wait, and a deadlock is still found") {
    CHECK(tried<signalled>("take | take(1)", {}).what == result::deadlock);
    CHECK(tried<signalled>("take | take", {}).what == result::sound);
}

}  // namespace choices_test
