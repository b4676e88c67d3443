#include "wedge/model/gpu_device.hpp"

#include <algorithm>

#include <doctest/doctest.h>

#include "wedge/explore/explore.hpp"

namespace gpu_device_test {
using namespace wedge;

namespace {

template <class D>
outcome explored(const char* text, std::uint64_t executions = 3000) {
    return explore<gpu_device<D>>(parse_program(text), {.executions_max = executions});
}

/// The broken design deadlocks, the repaired one does not in the same program; and the order
/// checker sees the cycle in a program of one task.
///
/// @param alone  enough for the order checker
template <class Broken>
void check_pair(const char* text, const char* alone) {
    CAPTURE(text);
    const outcome broken = explored<Broken>(text);
    CHECK(broken.what == result::deadlock);
    const outcome sound = explored<design::upstream>(text);
    CHECK(sound.what >= result::unresolved);
    CHECK(sound.findings.empty());
    const outcome order = explored<Broken>(alone, 50);
    CHECK(std::any_of(order.findings.begin(), order.findings.end(), [](const finding& f) {
        return f.kind == finding_kind::circular || f.kind == finding_kind::recursive ||
               f.kind == finding_kind::ww_rule;
    }));
}

}  // namespace

TEST_CASE("gpu_device: small programs of the upstream design are sound to the end") {
    for (const char* text : {"fault | fault", "fault | unmap", "fault | evict", "fault | kswapd(1)",
                             "madvise, fault | fault(1)", "swap_out | unmap", "suspend | fault"}) {
        CAPTURE(text);
        const outcome done = explored<design::upstream>(text, 50'000);
        CHECK(done.what == result::sound);
        CHECK(done.findings.empty());
    }
}

TEST_CASE("gpu_device: nothing is found in all actions of the upstream design at once") {
    const outcome done = explore<gpu_device<design::upstream>>(
        default_program<gpu_device<design::upstream>>(), {.executions_max = 1000});
    CHECK(done.findings.empty());
    CHECK(done.what == result::unresolved);
}

TEST_CASE("gpu_device: submissions that name their objects in opposite orders both get through") {
    const outcome done = explored<design::upstream>("submit | submit(1)", 5000);
    CHECK(done.findings.empty());
    CHECK(done.what == result::unresolved);
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
    check_pair<design::recovery_allocates>("submit_user | fault, recover", "submit, recover");
}

TEST_CASE("design: a notifier that takes the reservation is called by who holds it") {
    check_pair<design::notifier_takes_reservation>("submit_user, fault(1), fault",
                                                   "submit_user, swap_out, fault");
}

TEST_CASE("gpu_device: the four designs of the device deadlock here too") {
    CHECK(explored<design::imap_before_reclaim>("fault | unmap").what == result::deadlock);
    CHECK(explored<design::blocking_shrinker>("fault | fault(1)").what == result::deadlock);
    CHECK(explored<design::alloc_under_imap>("fault | truncate").what == result::deadlock);
}

}  // namespace gpu_device_test
