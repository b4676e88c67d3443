#include <set>
#include <string>

#include <doctest/doctest.h>

#include "wedge/core/sanitizer.hpp"
#include "wedge/fuzz/engine.hpp"
#include "wedge/fuzz/report.hpp"
#include "wedge/fuzz/watchdog.hpp"
#include "wedge/lock/spinlock.hpp"
#include "wedge/model/device.hpp"

#include "fuzz/sample_workloads.hpp"

namespace {

/// An action that ends while it holds a lock if its argument says so. The mistake is the only
/// finding: no order is inverted.
template <bool Repaired>
struct forgetful {
    wedge::mutex lock{"forgotten"};

    void use(std::uint32_t how) WEDGE_NO_THREAD_SAFETY {
        lock.lock();
        if (Repaired || how != 3) lock.unlock();
    }
    static constexpr auto actions = wedge::actions(wedge::action<&forgetful::use>{"use"});
};

/// Inverts an order only after another task has set a flag.
template <bool Repaired>
struct prepared {
    wedge::mutex state{"state"}, a{"prepared_a"}, b{"prepared_b"};
    bool is_ready = false;

    void prepare() {
        const wedge::guard held(state);
        is_ready = true;
    }
    void forward() {
        const wedge::guard outer(a);
        const wedge::guard inner(b);
    }
    void turned() {
        const bool is_turned = was_prepared() && !Repaired;
        const wedge::guard outer(is_turned ? b : a);
        const wedge::guard inner(is_turned ? a : b);
    }
    bool was_prepared() {
        const wedge::guard held(state);
        return is_ready;
    }
    static constexpr auto actions = wedge::actions(wedge::action<&prepared::prepare>{"prepare"},
                                                   wedge::action<&prepared::forward>{"forward"},
                                                   wedge::action<&prepared::turned>{"turned"});
};

template <wedge::workload W>
std::optional<wedge::fuzz_sighting> found_by_engine(std::uint64_t seed, std::uint64_t most) {
    wedge::fuzz_group group({wedge::fuzz_design_of<W>()});
    return wedge::fuzz_engine(group, seed).run(most);
}

}  // namespace

TEST_CASE("engine: equal seeds run equal inputs and make equal findings") {
    wedge::fuzz_group one({wedge::fuzz_design_of<samples::transfer<true>>()});
    wedge::fuzz_group other({wedge::fuzz_design_of<samples::transfer<true>>()});
    wedge::fuzz_engine first(one, 5), second(other, 5);
    CHECK_FALSE(first.run(500));
    CHECK_FALSE(second.run(500));
    CHECK(first.features() == second.features());
    CHECK(first.features() > 3);
}

TEST_CASE("engine: a bug has one signature for every input that finds it") {
    std::set<std::string> signatures;
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        const auto seen = found_by_engine<samples::ring<false>>(seed, 20'000);
        REQUIRE(seen);
        signatures.insert(seen->signature);
    }
    CHECK(signatures.size() == 1);
}

TEST_CASE("engine: a deadlock through reclaim has one signature for every finding that led to it") {
    std::set<std::string> signatures;
    for (std::uint64_t seed = 1; seed <= (wedge::sanitizer::any ? 1U : 4U); ++seed) {
        const auto seen =
            found_by_engine<wedge::device<wedge::design::imap_before_reclaim>>(seed, 5'000);
        REQUIRE(seen);
        signatures.insert(seen->signature);
    }
    CHECK(signatures == std::set<std::string>{"cycle i_mmap_rwsem/SE reclaim/EE"});
    const auto other = found_by_engine<wedge::device<wedge::design::blocking_shrinker>>(1, 5'000);
    REQUIRE(other);
    CHECK(other->signature == "cycle dma_resv/EE reclaim/EE");
}

TEST_CASE("engine: finds a mistake without a cycle although the checker sees few inputs") {
    const auto seen = found_by_engine<forgetful<false>>(1, 5'000);
    REQUIRE(seen);
    CHECK(seen->what.kind != wedge::finding_kind::circular);
    CHECK(seen->input.records.size() <= 2);  // minimised, although there is no cycle to guide it
    CHECK_FALSE(found_by_engine<forgetful<true>>(1, 5'000));
}

TEST_CASE("fuzz: minimising makes irrelevant arguments small") {
    wedge::action_program input;
    input.tasks = 2;
    input.records = {{0, 0, 77}, {1, 1, 250}};
    const wedge::fuzz_design design = wedge::fuzz_design_of<samples::transfer<false>>();
    const auto seen = wedge::fuzz_runner(design).run(input);
    REQUIRE(seen);
    CHECK(seen->input.records[0].argument == 0);
    CHECK(seen->input.records[1].argument == 250);  // with 0 or 1 the finding vanishes
}

TEST_CASE("fuzz: a composed program names its inputs, and its scenario shows the locks") {
    const wedge::fuzz_design design = wedge::fuzz_design_of<samples::ring<false>>();
    wedge::fuzz_runner runner(design);
    std::optional<wedge::fuzz_sighting> seen;
    for (std::uint8_t action = 0; action < 3; ++action) {
        wedge::action_program input;
        input.records = {{0, action, 0}};
        seen = runner.run(input);
    }
    REQUIRE(seen);
    CHECK(seen->is_composed);
    CHECK(seen->inputs.size() == 3);
    CHECK(wedge::scenario_of(*seen, design).find("lock ring_a") != std::string::npos);
}

TEST_CASE("fuzz: a task whose order depends on other tasks is composed with them") {
    wedge::action_program alone, beside;
    alone.records = {{0, 1, 0}};
    beside.tasks = 2;
    beside.records = {{0, 0, 0}, {1, 2, 0}};
    const auto broken = wedge::fuzz_design_of<prepared<false>>();
    wedge::fuzz_runner runner(broken);
    CHECK_FALSE(runner.run(alone));
    const auto seen = runner.run(beside);
    REQUIRE(seen);
    CHECK(seen->is_composed);
    CHECK(seen->input.tasks == 3);

    const auto sound = wedge::fuzz_design_of<prepared<true>>();
    wedge::fuzz_runner quiet(sound);
    CHECK_FALSE(quiet.run(alone));
    CHECK_FALSE(quiet.run(beside));
}

TEST_CASE("fuzz: refutes cycles under a gate lock that no single input shows") {
    const wedge::fuzz_design design = wedge::fuzz_design_of<samples::ring<true>>();
    wedge::fuzz_runner runner(design);
    for (std::uint8_t action = 0; action < 3; ++action) {
        wedge::action_program input;
        input.records = {{0, action, 0}};
        CHECK_FALSE(runner.run(input));
    }
    CHECK(runner.programs_composed() == runner.refuted());
}

TEST_CASE("watchdog: prints one line per task, with the locks it holds and wants") {
    wedge::task self;
    self.name = "fault";
    wedge::mutex lock("standing");
    self.held.push({.class_id = lock.identity().class_id()});
    self.pending.lock = &lock.identity();
    const wedge::task* const tasks[] = {nullptr, &self};
    CHECK(wedge::standing_of(tasks) == "  fault holds standing, last step on standing\n");
}
