#include "wedge/model/gpu_device.hpp"

#include <algorithm>

#include <doctest/doctest.h>

#include "support/explored.hpp"
#include "support/trials.hpp"

namespace gpu_device_test {
using namespace wedge;

namespace {

template <const locking_design& D>
outcome tried(const char* text, std::uint64_t executions = 200) {
    return explored<gpu_device<D>>(text, {.executions_max = executions});
}

/// Checks that the broken design deadlocks, that the repaired one does not in the same program, and
/// that the order checker sees the cycle in a program of one task.
///
/// @param alone  the program for the order checker; null: its many cycles take too long to judge
///     here
/// @param executions  of the broken design, and again as many to confirm each cycle
template <const locking_design& Broken>
void check_pair(const char* text, const char* alone, std::uint64_t executions = 200) {
    CAPTURE(std::string(text));
    const outcome broken = tried<Broken>(text, executions);
    CHECK(broken.what == result::deadlock);
    const outcome sound = tried<design::upstream>(text, trials(100));
    CHECK(sound.what >= result::unresolved);
    CHECK(sound.findings.empty());
    if (alone == nullptr) return;
    const outcome order = tried<Broken>(alone, 50);
    CHECK(std::any_of(order.findings.begin(), order.findings.end(), [](const finding& f) {
        return f.kind == finding_kind::circular || f.kind == finding_kind::recursive ||
               f.kind == finding_kind::ww_rule;
    }));
}

}  // namespace

TEST_CASE("gpu_device: small programs of the upstream design are proved sound") {
    for (const char* text : {"fault | fault", "fault | unmap", "fault | evict", "fault | kswapd(1)",
                             "madvise, fault | fault(1)", "swap_out | unmap", "suspend | fault",
                             "create | close, create", "create, close | fault", "mmap | fault",
                             "flip | fault", "hog | fault"}) {
        CAPTURE(std::string(text));
        const outcome done = tried<design::upstream>(text, 50'000);
        CHECK(done.what == result::sound);
        CHECK(done.findings.empty());
    }
}

TEST_CASE("gpu_device: nothing is found in all actions of the upstream design at once") {
    const outcome done = tried<design::upstream>("", trials(300));
    CHECK(done.findings.empty());
    CHECK(done.what == result::unresolved);
}

TEST_CASE("gpu_device: submissions that name their objects in opposite orders both succeed") {
    const outcome done = tried<design::upstream>("submit | submit(1)", trials(300));
    CHECK(done.findings.empty());
    CHECK(done.what == result::unresolved);
}

TEST_CASE("gpu_device: an object that is closed in use is freed when its job is done") {
    const outcome done = tried<design::upstream>("create, submit, close, suspend", trials(300));
    CHECK(done.findings.empty());
    CHECK(done.what >= result::unresolved);
}

TEST_CASE("gpu_device: a job that has not run by its timeout is dropped") {
    const outcome done = tried<design::upstream>("submit, timeout, suspend", trials(300));
    CHECK(done.findings.empty());
    CHECK(done.what >= result::unresolved);
}

TEST_CASE("design: making room without the ticket deadlocks with another task that makes room") {
    CHECK(tried<design::eviction_without_ticket>("submit | flip").what <= result::finding);
    const outcome sound = tried<design::upstream>("submit | flip", trials(100));
    CHECK(sound.findings.empty());
    CHECK(sound.what >= result::unresolved);
}

TEST_CASE("design: a copy from user space under a reservation hangs in the fault handler") {
    check_pair<design::copy_under_reservation>("submit", "submit");
}

TEST_CASE("design: two reservations without a ticket deadlock") {
    check_pair<design::without_ticket>("submit | submit(1)", "submit");
}

TEST_CASE("design: a job that allocates waits for its own fence in reclaim") {
    check_pair<design::job_allocates>("fault, submit_user", "submit");
    check_pair<design::job_allocates_noretry>("fault, submit_user", "submit");
}

TEST_CASE("design: recovery that allocates under the hardware's lock waits for a job") {
    check_pair<design::recovery_allocates>("submit_user, swap_out | fault, recover", nullptr, 20);
}

TEST_CASE("design: a notifier that takes the reservation is called by its holder") {
    check_pair<design::notifier_takes_reservation>("submit_user, fault(1), fault",
                                                   "submit_user, swap_out, fault");
}

TEST_CASE("gpu_device: a broken design of the small device deadlocks here too") {
    CHECK(tried<design::blocking_shrinker>("fault | fault(1)").what == result::deadlock);
}

}  // namespace gpu_device_test
