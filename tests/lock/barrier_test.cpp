#include "wedge/lock/barrier.hpp"

#include <atomic>

#include <doctest/doctest.h>

#include "lock/both.hpp"
#include "support/explored.hpp"

namespace barrier_test {
using wedge::result;

TEST_CASE("barrier: natively no task passes before all have arrived, round after round") {
    wedge::barrier all(2, "all");
    std::atomic<int> arrived{0};
    bool is_early = false;
    const auto party = [&] {
        for (int round = 1; round <= 200; ++round) {
            ++arrived;
            all.arrive_and_wait();
            if (arrived < 2 * round) is_early = true;
        }
    };
    both::natively({party, party});
    CHECK(!is_early);
}

namespace {

struct meeting {
    wedge::barrier all{2, "all"};
    wedge::latch started{2, "started"};
    std::atomic<int> arrived{0};  // written and read between visible steps

    void meet() {
        for (int round = 1; round <= 2; ++round) {
            ++arrived;
            all.arrive_and_wait();
            if (arrived < 2 * round) throw std::logic_error("passed too early");
        }
    }
    void start() { started.arrive_and_wait(); }
    void count_down() { started.count_down(); }
    static constexpr auto actions = wedge::actions(
        wedge::action<&meeting::meet>{"meet"}, wedge::action<&meeting::start>{"start"},
        wedge::action<&meeting::count_down>{"count_down"});
};

}  // namespace

TEST_CASE("barrier: one task too few is a deadlock, the full number passes in every schedule") {
    CHECK(explored_fully<meeting>("meet").what == result::deadlock);
    CHECK(explored_fully<meeting>("meet | meet").what == result::sound);
}

TEST_CASE("latch: it opens at the last count") {
    CHECK(explored_fully<meeting>("start").what == result::deadlock);
    CHECK(explored_fully<meeting>("start | count_down").what == result::sound);
    CHECK(explored_fully<meeting>("start | start").what == result::sound);
}

}  // namespace barrier_test
