#include "wedge/lock/work.hpp"

#include <doctest/doctest.h>

#include "lock/both.hpp"
#include "support/explored.hpp"

namespace work_test {
using wedge::result;

TEST_CASE("work: natively flush waits for queued runs, cancel for the running one") {
    int done = 0;
    wedge::work job([&] { ++done; }, "job");
    REQUIRE(job.queue());
    job.flush();
    CHECK(done == 1);
    job.flush();
    CHECK(done == 1);
    wedge::completion started;
    wedge::completion may_end;
    wedge::work slow(
        [&] {
            started.complete();
            may_end.wait();
        },
        "slow");
    REQUIRE(slow.queue());
    started.wait();
    CHECK(slow.queue());   // it runs, so it can be queued once more
    CHECK(!slow.queue());  // it is queued already
    may_end.complete_all();
    slow.cancel();
    CHECK(!slow.cancel());
}

namespace {

struct office {
    wedge::mutex desk{"desk"};
    int done = 0;
    wedge::work job{[this] { write(); }, "job"};

    void write() {
        const wedge::guard held(desk);
        ++done;
    }
    void queue() { job.queue(); }
    void queue_and_flush() {
        job.queue();
        job.flush();
        const wedge::guard held(desk);
        if (done == 0) throw std::logic_error("flushed too early");
    }
    void queue_and_flush_at_desk() {
        job.queue();
        const wedge::guard held(desk);
        job.flush();
    }
    void queue_and_cancel() {
        job.queue();
        job.cancel();
    }
    void flush_at_desk() {
        const wedge::guard held(desk);
        job.flush();
    }
    static constexpr auto actions =
        wedge::actions(wedge::action<&office::queue>{"queue"},
                       wedge::action<&office::queue_and_flush>{"queue_and_flush"},
                       wedge::action<&office::queue_and_flush_at_desk>{"queue_and_flush_at_desk"},
                       wedge::action<&office::queue_and_cancel>{"queue_and_cancel"},
                       wedge::action<&office::flush_at_desk>{"flush_at_desk"});
};

}  // namespace

TEST_CASE("work: an idle worker is no deadlock, and a flush waits for the body") {
    const wedge::outcome queued = explored_fully<office>("queue");
    CHECK(queued.what == result::sound);
    CHECK(queued.exhausted);
    const wedge::outcome flushed = explored_fully<office>("queue_and_flush");
    CHECK(flushed.what == result::sound);
    CHECK(flushed.exhausted);
    CHECK(explored_fully<office>("queue_and_cancel").what == result::sound);
}

TEST_CASE("work: a flush under a lock that the body takes is an inverted order, and hangs") {
    const wedge::outcome stuck = explored_fully<office>("queue_and_flush_at_desk");
    REQUIRE(stuck.what == result::deadlock);
    CHECK(stuck.findings[0].kind == wedge::finding_kind::circular);
    CHECK(stuck.findings[0].judged == wedge::verdict::confirmed);
    CHECK(stuck.findings[0].signature == "cycle desk/EE job/EE");
    // If no task queues it, nothing hangs, and the body is not seen.
    CHECK(explored_fully<office>("flush_at_desk").what == result::sound);
}

}  // namespace work_test
