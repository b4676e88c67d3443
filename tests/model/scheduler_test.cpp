#include "wedge/model/scheduler.hpp"

#include <doctest/doctest.h>

#include "wedge/model/memory.hpp"

#include "support/explored.hpp"

using namespace wedge;

namespace {

/// What a job does, and what a waiter for its fence holds.
enum class job_does { nothing, take_lock, allocate };

template <job_does what>
struct queued {
    memory zone{zone_limits{.pages = 4, .min = 0, .low = 0, .high = 4}};
    signalling_map map;
    mutex driver{"driver"};
    scheduler jobs{map, [this] { run_job(); }};
    job_fence* waited = nullptr;  // used only by the task that submits

    void run_job() {
        if (what == job_does::take_lock) const guard held(driver);
        if (what == job_does::allocate) zone.might_alloc(gfp_kernel);
    }
    void submit() {
        job_fence& job = jobs.make_job();
        jobs.queue(job);
        const guard held(driver);
        zone.might_alloc(gfp_kernel);
        job.wait();
    }
    void reset() { jobs.reset(); }
    static constexpr auto actions =
        wedge::actions(action<&queued::submit>{"submit"}, action<&queued::reset>{"reset"});
};

}  // namespace

TEST_CASE("scheduler: a job's fence is signalled, with a reset or without") {
    CHECK(explored<queued<job_does::nothing>>("submit").what == result::sound);
    const outcome beside = explored<queued<job_does::nothing>>("submit | reset");
    CHECK(beside.findings.empty());
    CHECK(beside.what != result::deadlock);
}

TEST_CASE("scheduler: a job that takes a lock held by a waiter deadlocks") {
    CHECK(explored<queued<job_does::take_lock>>("submit").what == result::deadlock);
}

TEST_CASE("scheduler: it works on real threads") {
    signalling_map map;
    int runs = 0;
    {
        scheduler jobs(map, [&] { ++runs; });
        job_fence& job = jobs.make_job();
        jobs.queue(job);
        job.wait();
        jobs.drain();
        job_fence& other = jobs.make_job();
        jobs.reset();
        jobs.queue(other);
        other.wait();
    }
    CHECK(runs == 2);
}
