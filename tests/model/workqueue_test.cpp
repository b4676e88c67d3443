#include "wedge/model/workqueue.hpp"

#include <chrono>

#include <doctest/doctest.h>

#include "wedge/lock/completion.hpp"

#include "support/explored.hpp"

namespace workqueue_test {

using std::chrono::hours;
using wedge::result;

TEST_CASE("workqueue: natively items run on shared workers, and an item may destroy itself") {
    wedge::workqueue events(2U, "events");
    int done = 0;
    wedge::work_item count([&] { ++done; }, "count");
    CHECK(events.queue(count));
    events.flush(count);
    CHECK(done == 1);
    CHECK(events.queue(count, hours(1)));
    CHECK(!events.queue(count));
    CHECK(events.is_queued(count));
    CHECK(events.cancel(count));
    CHECK(!events.cancel_sync(count));
    CHECK(events.queue(count, hours(1)));
    CHECK(events.flush(count));  // the delay is over at once
    CHECK(done == 2);

    wedge::completion gone("gone");
    struct node {
        std::unique_ptr<wedge::work_item> item;
    };
    auto* const owner = new node;
    owner->item = std::make_unique<wedge::work_item>(
        [owner, &gone] {
            delete owner;
            gone.complete();
        },
        "self");
    events.queue(*owner->item);
    gone.wait();
    events.flush_all();
}

namespace {

/// Two items of one queue. The first one waits for the second.
template <unsigned MaxActive>
struct office {
    wedge::mutex desk{"desk"};
    wedge::work_item second{[this] { const wedge::guard held(desk); }, "second"};
    wedge::work_item first{[this] {
                               queue.queue(second);
                               queue.flush(second);
                           },
                           "first"};
    wedge::workqueue queue{MaxActive, "queue"};

    void start() { queue.queue(first); }
    void stop() { queue.cancel_sync(first); }
    void stop_at_desk() {
        queue.queue(second);
        const wedge::guard held(desk);
        queue.cancel_sync(second);
    }
    static constexpr auto actions =
        wedge::actions(wedge::action<&office::start>{"start"}, wedge::action<&office::stop>{"stop"},
                       wedge::action<&office::stop_at_desk>{"stop_at_desk"});
};

}  // namespace

TEST_CASE("workqueue: a body that waits for an item of its own queue needs a second worker") {
    const wedge::outcome stuck = explored_fully<office<1>>("start");
    CHECK(stuck.what == result::deadlock);
    const wedge::outcome free = explored_fully<office<2>>("start, stop");
    CHECK(free.what == result::sound);
    CHECK(free.exhausted);
    CHECK(free.findings.empty());
}

TEST_CASE("workqueue: a cancel under a lock that the body takes is an inverted order, and hangs") {
    const wedge::outcome stuck = explored_fully<office<2>>("stop_at_desk");
    REQUIRE(stuck.what == result::deadlock);
    CHECK(stuck.findings[0].kind == wedge::finding_kind::circular);
    CHECK(stuck.findings[0].signature == "cycle desk/EE second/EE");
}

}  // namespace workqueue_test
