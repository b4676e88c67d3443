#include "wedge/lock/ww_mutex.hpp"

#include <doctest/doctest.h>

#include "lock/both.hpp"
#include "support/explored.hpp"

namespace ww_mutex_test {
using wedge::result;
using wedge::ww_algorithm;
using wedge::ww_result;

namespace {

template <ww_algorithm How>
struct algorithm {
    static constexpr ww_algorithm value = How;
};
using wound_wait = algorithm<ww_algorithm::wound_wait>;
using wait_die = algorithm<ww_algorithm::wait_die>;

/// Two objects, which tasks take in both orders to move something between them.
template <class Algorithm>
struct objects {
    wedge::ww_class resv{"resv", Algorithm::value};
    wedge::ww_mutex a{resv}, b{resv};
    int in_a = 100;
    int in_b = 100;

    wedge::ww_mutex& at(std::uint32_t which) { return which == 0 ? a : b; }

    /// Moves; the argument says which object is taken first.
    void move(std::uint32_t first) {
        static_cast<void>(wedge::transaction(resv, [&](wedge::ww_ticket& ticket) {
            for (const std::uint32_t which : {first, 1 - first})
                if (at(which).lock(ticket) == ww_result::back_off) return ww_result::back_off;
            --in_a;
            ++in_b;
            return ww_result::ok;
        }));
    }
    /// Takes the contended lock and keeps what it has.
    void stubborn(std::uint32_t first) {
        wedge::ww_ticket ticket(resv);
        if (at(first).lock(ticket) == ww_result::back_off) std::terminate();
        if (at(1 - first).lock(ticket) == ww_result::back_off) at(1 - first).lock_slow(ticket);
        ticket.unlock_all();
    }
    /// Takes one lock after the other without a ticket.
    void plainly(std::uint32_t first) {
        at(first).lock();
        at(1 - first).lock();
        at(1 - first).unlock();
        at(first).unlock();
    }
    void check() const {
        if (in_a + in_b != 200) throw std::logic_error("something is lost");
    }
    static constexpr auto actions = wedge::actions(wedge::action<&objects::move>{"move"},
                                                   wedge::action<&objects::stubborn>{"stubborn"},
                                                   wedge::action<&objects::plainly>{"plainly"});
};

bool has_deadlock(const wedge::outcome& tried) {
    return tried.what == result::deadlock;
}

}  // namespace

TEST_CASE_TEMPLATE("ww_mutex: natively transactions in both orders succeed", Algorithm, wound_wait,
                   wait_die) {
    objects<Algorithm> all;
    const auto mover = [&](std::uint32_t first) {
        return [&all, first] {
            for (int i = 0; i < 500; ++i) all.move(first);
        };
    };
    both::natively({mover(0), mover(1), mover(0)});
    CHECK(all.in_a == 100 - 1500);
    CHECK(all.in_a + all.in_b == 200);
}

TEST_CASE_TEMPLATE("ww_mutex: backing off is safe in every schedule, not backing off deadlocks",
                   Algorithm, wound_wait, wait_die) {
    const wedge::outcome sound = explored_fully<objects<Algorithm>>("move | move(1)");
    CHECK(!has_deadlock(sound));
    CHECK(sound.exhausted);
    CHECK(has_deadlock(explored_fully<objects<Algorithm>>("stubborn | stubborn(1)")));
    CHECK(!has_deadlock(explored_fully<objects<Algorithm>>("stubborn | stubborn")));
    CHECK(has_deadlock(explored_fully<objects<Algorithm>>("plainly | plainly(1)")));
    CHECK(!has_deadlock(explored_fully<objects<Algorithm>>("plainly | plainly")));
}

TEST_CASE_TEMPLATE("ww_mutex: three transactions succeed in a thousand random walks", Algorithm,
                   wound_wait, wait_die) {
    const wedge::outcome walked = wedge::explore<objects<Algorithm>>(
        wedge::parse_program("move | move(1) | move"),
        {.how = wedge::strategy::random, .executions_max = 1000});
    CHECK(!has_deadlock(walked));
    CHECK(!walked.bounded);
}

TEST_CASE("ww_mutex: the results of a ticket's acquires, with one task") {
    wedge::ww_class resv("resv");
    wedge::ww_mutex a(resv);
    wedge::ww_mutex b(resv);
    wedge::ww_ticket ticket(resv);
    CHECK(a.lock(ticket) == ww_result::ok);
    CHECK(a.lock(ticket) == ww_result::already);
    CHECK(!a.try_lock());
    CHECK(b.try_lock());
    b.unlock();
    CHECK(b.lock_interruptible(ticket) == ww_result::ok);
    ticket.done();
    ticket.unlock_all();
    CHECK(!ticket.holds(a));
    CHECK(ticket.contended() == nullptr);
}

TEST_CASE("ww_mutex: an interruptible acquire may be interrupted, by a recorded choice") {
    wedge::ww_class resv("resv");
    wedge::ww_mutex a(resv);
    unsigned interrupted = 0;
    const auto wait = [&] {
        wedge::ww_ticket ticket(resv);
        if (a.lock_interruptible(ticket) == ww_result::interrupted)
            ++interrupted;
        else
            a.unlock();
    };
    CHECK(!has_deadlock(both::controlled({wait, wait})));
    CHECK(interrupted > 0);
}

}  // namespace ww_mutex_test
