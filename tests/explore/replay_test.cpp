#include <doctest/doctest.h>

#include "wedge/core/schedule_text.hpp"
#include "wedge/explore/verdict/minimize.hpp"

#include "explore/workloads.hpp"

using namespace workloads;
using wedge::replay_mode;
using wedge::result;

namespace {

wedge::schedule deadlock_of_abba() {
    const wedge::outcome broken = wedge::explore<abba>(wedge::parse_program("ab | ba"));
    REQUIRE(broken.what == result::deadlock);
    return broken.best;
}

}  // namespace

TEST_CASE("replay: a schedule parsed from its text shows the same finding") {
    const wedge::schedule saved = wedge::parse_schedule(to_string(deadlock_of_abba()));
    const wedge::outcome again = wedge::replay<abba>(saved);
    CHECK(again.what == result::deadlock);
    REQUIRE(again.findings.size() == 1);
    CHECK(again.findings[0].signature == saved.signature);
    CHECK(again.findings[0].judged == wedge::verdict::confirmed);
    CHECK(again.diverged.empty());
}

TEST_CASE("replay: fibers and threads take the same schedule") {
    const wedge::outcome on_threads = wedge::replay<abba>(deadlock_of_abba(), replay_mode::strict,
                                                          {.on = wedge::substrate::threads});
    CHECK(on_threads.what == result::deadlock);
}

TEST_CASE("replay: a strict replay stops where the program differs, a lenient replay goes on") {
    wedge::schedule other = deadlock_of_abba();
    other.decisions.insert(other.decisions.begin() + 1, {wedge::decision::sort::run, 7, 0});
    const wedge::outcome strict = wedge::replay<abba>(other);
    CHECK(strict.findings.empty());
    CHECK(strict.diverged.find("task 7 cannot go on there") != std::string::npos);
    const wedge::outcome lenient = wedge::replay<abba>(other, replay_mode::lenient);
    CHECK(lenient.what == result::deadlock);
    CHECK(!lenient.diverged.empty());
}

TEST_CASE("minimize: reduces many task switches to the only needed switch") {
    const auto replay = [](const wedge::schedule& hints) -> std::optional<wedge::schedule> {
        const wedge::outcome shown = wedge::replay<abba>(hints, replay_mode::lenient);
        if (shown.what != result::deadlock) return std::nullopt;
        return shown.findings[0].best;
    };
    wedge::schedule noisy = deadlock_of_abba();
    noisy.decisions.clear();
    for (std::uint32_t i = 0; i < 30; ++i)
        noisy.decisions.push_back({wedge::decision::sort::run, i % 2, 0});
    const wedge::schedule small = wedge::minimize(noisy, replay);
    CHECK(small.switches() == 1);
    CHECK(small.decisions.size() == 2);
}

TEST_CASE("confirm: reaches the deadlock of a cycle that the order checker found") {
    wedge::finding inversion = wedge::explore<abba>(wedge::parse_program("ab | ba")).findings[0];
    inversion.judged = wedge::verdict::unresolved;
    inversion.tasks.clear();
    const wedge::outcome built = wedge::confirm<abba>(inversion);
    CHECK(built.what == result::deadlock);
    CHECK(built.findings[0].judged == wedge::verdict::confirmed);
    const wedge::outcome refused = wedge::confirm<guarded_abba>(
        wedge::explore<guarded_abba>(wedge::default_program<guarded_abba>()).findings[0]);
    CHECK(refused.what != result::deadlock);
}
