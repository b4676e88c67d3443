#include "wedge/model/device.hpp"

#include <algorithm>

#include <doctest/doctest.h>

#include "support/explored.hpp"

using namespace wedge;

namespace {

constexpr locking_design fixed_since_5_19{.rmap_lock = design::how::try_};

template <const locking_design& D>
outcome tried(const char* text, strategy how = strategy::portfolio) {
    return explored<device<D>>(text, {.how = how, .executions_max = 2000});
}

/// Checks that the broken design deadlocks, and that a schedule confirms the cycle through reclaim;
/// and that the sound design is proved with the same program.
template <const locking_design& Broken>
void check_pair(const char* text, const char* cycle) {
    CAPTURE(std::string(text));
    const outcome broken = tried<Broken>(text);
    CHECK(broken.what == result::deadlock);
    const auto found =
        std::find_if(broken.findings.begin(), broken.findings.end(),
                     [&](const finding& f) { return f.kind == finding_kind::circular; });
    REQUIRE(found != broken.findings.end());
    CHECK(found->judged == verdict::confirmed);
    CHECK(found->signature == cycle);
    CHECK(std::none_of(broken.findings.begin(), broken.findings.end(), [](const finding& f) {
        return f.judged == verdict::refuted || f.judged == verdict::unresolved;
    }));
    const outcome again = replay<device<Broken>>(found->best);
    CHECK(again.diverged.empty());
    CHECK(again.what == result::deadlock);

    const outcome sound = tried<design::upstream>(text);
    CHECK(sound.what == result::sound);
    CHECK(sound.findings.empty());
}

constexpr auto imap_cycle = "cycle i_mmap_rwsem/SE reclaim/EE";
constexpr auto resv_cycle = "cycle dma_resv/EE reclaim/EE";

}  // namespace

TEST_CASE("device: small programs of the upstream design are proved sound") {
    for (const char* text :
         {"fault | kswapd", "fault | kswapd(1)", "fault | fault(1)", "fault | unmap",
          "fault | truncate", "fault | hog", "fault | evict | kswapd", "fault, hog | fault(1)"}) {
        CAPTURE(std::string(text));
        const outcome done = tried<design::upstream>(text);
        CHECK(done.what == result::sound);
        CHECK(done.findings.empty());
    }
}

TEST_CASE("device: nothing is found in all actions of the upstream design at once") {
    for (const strategy how : {strategy::exhaustive, strategy::random}) {
        const outcome done = tried<design::upstream>("", how);
        CHECK(done.findings.empty());
        CHECK(done.what == result::unresolved);
    }
}

TEST_CASE("design: i_mmap before reclaim hangs in the driver's unmap") {
    check_pair<design::imap_before_reclaim>("fault | unmap", imap_cycle);
    check_pair<design::imap_before_reclaim>("fault, kswapd(1) | unmap", imap_cycle);
}

TEST_CASE("design: the stated inversion is found by kswapd alone, and refuted without unmap") {
    const outcome done = tried<design::imap_before_reclaim>("kswapd(1)");
    REQUIRE(done.findings.size() == 1);
    CHECK(done.findings[0].judged == verdict::refuted);
    CHECK(done.findings[0].signature == imap_cycle);
    const auto& cycle = done.findings[0].cycle;
    CHECK(std::any_of(cycle.begin(), cycle.end(), [](const dependency& d) { return d.primed; }));
}

TEST_CASE("design: a blocking shrinker hangs on the reservation of the fault that reclaims") {
    check_pair<design::blocking_shrinker>("fault | fault(1)", resv_cycle);
    check_pair<design::blocking_shrinker>("fault | evict(1), fault(1)", resv_cycle);
}

TEST_CASE("design: an allocation under i_mmap hangs in a truncation") {
    check_pair<design::alloc_under_imap>("fault | truncate", "cycle i_mmap_rwsem/EE reclaim/EE");
}

TEST_CASE_TEMPLATE("design: each deadlock is reached by all actions at once", Device,
                   device<design::imap_before_reclaim>, device<design::blocking_shrinker>,
                   device<design::alloc_under_imap>) {
    const outcome done = explored<Device>("", {.executions_max = 2000});
    CHECK(done.what == result::deadlock);
    CHECK(std::any_of(done.findings.begin(), done.findings.end(), [](const finding& f) {
        return f.kind == finding_kind::circular && f.judged == verdict::confirmed;
    }));
}

TEST_CASE("design: with a walk that tries, upstream stays sound") {
    CHECK(tried<fixed_since_5_19>("fault | kswapd(1)").what == result::sound);
    CHECK(tried<fixed_since_5_19>("fault | unmap").what == result::sound);
}

TEST_CASE("device: the name contains the design") {
    CHECK(workload_name<device<design::upstream>>() == "device<upstream>");
    CHECK(workload_name<device<design::alloc_under_imap>>() == "device<alloc_under_imap>");
}
