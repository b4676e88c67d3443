#include "wedge/model/reservation.hpp"

#include <array>

#include <doctest/doctest.h>

#include "wedge/lock/guard.hpp"

#include "support/explored.hpp"
#include "support/watched.hpp"

namespace reservation_test {
using namespace wedge;

namespace {

/// Two tasks that want the same objects in opposite orders.
template <ww_algorithm how, bool has_ticket>
struct crossing {
    ww_class of{"dma_resv", how};
    reservation a{of};
    reservation b{of};
    unsigned done = 0;  // guarded by a and b

    void take(reservation& first, reservation& second) {
        if constexpr (has_ticket) {
            const std::array both{&first, &second};
            reserve(of, both, [&](ww_ticket&) { ++done; });
        } else {
            const guard one(first);
            const guard two(second);
        }
    }
    void forth() { take(a, b); }
    void back() { take(b, a); }
    void check() const {
        if (has_ticket && done != 2) throw std::logic_error("a body did not run");
    }
    static constexpr auto actions =
        wedge::actions(action<&crossing::forth>{"forth"}, action<&crossing::back>{"back"});
};

/// A task whose back-offs are simulated.
struct injected {
    ww_class of{"dma_resv"};
    reservation a{of};
    reservation b{of};
    fault_point back_off;
    injected() { back_off.set({.percent = 1, .times = 2}); }
    void take() {
        const std::array both{&a, &b};
        unsigned bodies = 0;
        const ww_result got = reserve(
            of, both, [&](ww_ticket&) { ++bodies; }, &back_off);
        if (got != ww_result::ok || bodies != 1) throw std::logic_error("not once");
    }
    static constexpr auto actions = wedge::actions(action<&injected::take>{"take"});
};

/// A submission publishes a fence, and another task waits for it under the reservation.
template <bool signals_under_reservation>
struct submitted {
    ww_class of{"dma_resv"};
    signalling_map map;
    memory zone;
    reservation bo{of};
    job_fence done{map};

    void submit() {
        {
            const guard held(bo);
            bo.reserve_fences(1, zone);
            bo.add_fence(done, fence_use::write);
        }
        const signalling_section promise(map);
        if (signals_under_reservation) {
            const guard held(bo);
            done.signal();
        } else {
            done.signal();
        }
    }
    void move() {
        const guard held(bo);
        bo.wait(fence_use::read);
        if (!bo.is_idle(fence_use::read)) throw std::logic_error("busy after the wait");
    }
    static constexpr auto actions =
        wedge::actions(action<&submitted::submit>{"submit"}, action<&submitted::move>{"move"});
};

}  // namespace

TEST_CASE("reservation: all are of one class, so waiting for a second one is found") {
    const watched all;
    ww_class of("dma_resv");
    reservation a(of);
    reservation b(of);
    {
        const guard first(a);
        const guard second(b);
    }
    REQUIRE(all.findings().size() == 1);
    CHECK(all.findings()[0].kind == finding_kind::ww_rule);
}

TEST_CASE("reservation: trying a second one is sound") {
    const watched all;
    ww_class of("dma_resv");
    reservation a(of);
    reservation b(of);
    {
        const guard first(a);
        const try_guard second(b);
        CHECK(static_cast<bool>(second));
    }
    CHECK(all.findings().empty());
}

TEST_CASE_TEMPLATE("reservation: a ticket takes several in any order", W,
                   crossing<ww_algorithm::wound_wait, true>,
                   crossing<ww_algorithm::wait_die, true>) {
    const outcome done = explored<W>();
    CHECK(done.what == result::sound);
    CHECK(done.findings.empty());
}

TEST_CASE("reservation: without a ticket two of them deadlock") {
    CHECK(explored<crossing<ww_algorithm::wound_wait, false>>().what == result::deadlock);
}

TEST_CASE("reservation: a simulated back-off starts again with nothing held") {
    const outcome done = explored<injected>();
    CHECK(done.what == result::sound);
    CHECK(done.executions >= 3);  // none, one, or two of them
    CHECK(done.findings.empty());
}

TEST_CASE("reservation: an object that is named twice is taken once") {
    const watched all;
    ww_class of("dma_resv");
    reservation a(of);
    const std::array twice{&a, &a};
    CHECK(reserve(of, twice, [](ww_ticket&) {}) == ww_result::ok);
    CHECK(current().held.empty());
    CHECK(all.findings().empty());
}

TEST_CASE("reservation: each hold needs its own slots") {
    ww_class of("dma_resv");
    signalling_map map;
    memory zone;
    reservation a(of);
    job_fence one(map);
    const std::array objects{&a};
    const auto add = [&](ww_ticket&) { a.add_fence(one, fence_use::read); };
    CHECK_THROWS_AS(reserve(of, objects, add), std::logic_error);
    reserve(of, objects, [&](ww_ticket&) { CHECK(a.reserve_fences(2, zone)); });
    CHECK_THROWS_AS(reserve(of, objects, add), std::logic_error);
    reserve(of, objects, [&](ww_ticket& ticket) {
        CHECK(a.reserve_fences(1, zone));
        CHECK_NOTHROW(add(ticket));
        CHECK_THROWS_AS(add(ticket), std::logic_error);
    });
    CHECK(a.is_idle(fence_use::write));
    CHECK(!a.is_idle(fence_use::read));
    one.signal();
    a.wait(fence_use::read);
}

TEST_CASE("reservation: making room allocates, adding a fence does not") {
    const watched all;
    ww_class of("made room");
    signalling_map map;
    memory zone;
    reservation a(of);
    job_fence one(map);
    a.lock();
    CHECK(!all.has_edge("made room", "reclaim"));
    a.reserve_fences(1, zone);
    CHECK(all.has_edge("made room", "reclaim"));
    {
        const signalling_section promise(map);
        a.add_fence(one, fence_use::write);
    }
    a.unlock();
    CHECK(!all.has_edge("signalling", "reclaim"));
}

TEST_CASE("reservation: a signaller must not take it") {
    const outcome broken = explored<submitted<true>>();
    CHECK(broken.what == result::deadlock);
    const outcome repaired = explored<submitted<false>>();
    CHECK(repaired.what == result::sound);
}

}  // namespace reservation_test
