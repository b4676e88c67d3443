#include "wedge/fuzz/runner.hpp"

#include <algorithm>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "wedge/explore.hpp"
#include "wedge/fuzz/group.hpp"
#include "wedge/wedge.hpp"

#include "fuzz/sample_workloads.hpp"
#include "support/lock_pair_text.hpp"

namespace {

wedge::action_program input_of(std::uint8_t tasks, std::vector<wedge::action_record> records,
                               std::vector<std::uint8_t> answers = {}) {
    wedge::action_program made;
    made.tasks = tasks;
    made.records = std::move(records);
    made.answers = std::move(answers);
    return made;
}

template <wedge::workload W>
std::optional<wedge::fuzz_sighting> shown(const wedge::action_program& input) {
    const wedge::fuzz_design design = wedge::fuzz_design_of<W>();
    return wedge::fuzz_runner(design).run(input);
}

/// Returns the number of inputs that a blind mutator made until a finding, or 0 if there was none.
template <wedge::workload W>
unsigned inputs_to_finding(unsigned inputs_max) {
    wedge::fuzz_group group({wedge::fuzz_design_of<W>()});
    std::vector<std::uint8_t> bytes(64);
    std::size_t size = 0;
    for (unsigned i = 1; i <= inputs_max; ++i) {
        size = group.mutate(bytes.data(), i % 16 == 0 ? 0 : size, bytes.size(), i);
        if (group.run(std::span<const std::uint8_t>(bytes.data(), size))) return i;
    }
    return 0;
}

/// Takes any two of five locks in any order, so that there are many deadlocks.
struct many_orders {
    wedge::mutex locks[5] = {wedge::mutex("lock 0"), wedge::mutex("lock 1"), wedge::mutex("lock 2"),
                             wedge::mutex("lock 3"), wedge::mutex("lock 4")};

    void nest(unsigned which) {
        const unsigned outer = which % 5;
        const unsigned inner = which / 5 % 5;
        if (outer == inner) return;
        const wedge::guard one(locks[outer]);
        const wedge::guard two(locks[inner]);
    }

    static constexpr auto actions = wedge::actions(wedge::action<&many_orders::nest>{"nest"});
    static constexpr const char* name = "many_orders";
};

/// Checks that a sighting's input and schedule repeat it in a new runner.
template <wedge::workload W>
void check_repeats(const wedge::fuzz_sighting& seen) {
    const auto again = shown<W>(seen.input);
    REQUIRE(again);
    CHECK(again->what.signature == seen.what.signature);
    CHECK(again->input == seen.input);
    const wedge::outcome replayed = wedge::replay<W>(seen.what.best);
    CHECK(replayed.diverged == "");
    REQUIRE(!replayed.findings.empty());
    CHECK(replayed.findings[0].signature == seen.what.signature);
}

}  // namespace

TEST_CASE("fuzz: an inverted order is confirmed under every schedule that the bytes choose") {
    using broken = samples::transfer<false>;
    const auto seen = shown<broken>(input_of(2, {{0, 0, 0}, {1, 1, 2}}));
    REQUIRE(seen);
    CHECK(seen->what.judged == wedge::verdict::confirmed);
    CHECK(seen->what.signature == "cycle a/EE b/EE");
    CHECK_FALSE(seen->is_composed);
    check_repeats<broken>(*seen);
    CHECK_FALSE(shown<samples::transfer<true>>(input_of(2, {{0, 0, 0}, {1, 1, 2}})));
    CHECK_FALSE(shown<broken>(input_of(2, {{0, 0, 0}, {1, 1, 1}})));
}

TEST_CASE("fuzz: an inversion within one task is confirmed with a second task in that code") {
    const auto seen = shown<samples::transfer<false>>(input_of(1, {{0, 0, 0}, {0, 1, 2}}));
    REQUIRE(seen);
    CHECK(seen->is_composed);
    CHECK(seen->input.tasks == 2);
    CHECK_FALSE(shown<samples::transfer<true>>(input_of(1, {{0, 0, 0}, {0, 1, 2}})));
}

TEST_CASE("fuzz: irrelevant calls are left out of the report") {
    using broken = samples::transfer<false>;
    const auto seen = shown<broken>(
        input_of(3, {{2, 2, 0}, {0, 2, 9}, {0, 0, 0}, {1, 1, 0}, {1, 1, 2}, {0, 2, 0}, {2, 0, 0}}));
    REQUIRE(seen);
    CHECK(seen->input.tasks == 2);
    CHECK(seen->input.records.size() == 2);
    CHECK(seen->what.best.switches() <= 2);
    check_repeats<broken>(*seen);
}

TEST_CASE("fuzz: bytes schedule a lost wakeup, and nothing is found in its twin with a flag") {
    using broken = samples::mailbox<false>;
    const std::vector<wedge::action_record> calls{{0, 0, 0}, {1, 1, 0}};
    CHECK_FALSE(shown<broken>(input_of(2, calls)));
    const auto seen = shown<broken>(input_of(2, calls, {1}));
    REQUIRE(seen);
    CHECK(seen->what.kind == wedge::finding_kind::deadlock);
    check_repeats<broken>(*seen);
    for (std::uint8_t first = 0; first < 2; ++first)
        CHECK_FALSE(shown<samples::mailbox<true>>(input_of(2, calls, {first, 1, 1, 1})));
}

TEST_CASE("fuzz: bytes answer choices; a check that throws is found, its twin is not") {
    CHECK(inputs_to_finding<samples::counter<false>>(20'000) != 0);
    CHECK(inputs_to_finding<samples::counter<true>>(20'000) == 0);
}

TEST_CASE("fuzz: mutation alone finds a cycle of three, and nothing under a common lock") {
    CHECK(inputs_to_finding<samples::ring<false>>(5'000) != 0);
    CHECK(inputs_to_finding<samples::ring<true>>(5'000) == 0);
}

TEST_CASE("fuzz: dependencies of several inputs are combined and confirmed") {
    const wedge::fuzz_design design = wedge::fuzz_design_of<samples::ring<false>>();
    wedge::fuzz_runner runner(design);
    CHECK_FALSE(runner.run(input_of(1, {{0, 0, 0}})));
    CHECK_FALSE(runner.run(input_of(2, {{1, 2, 0}})));
    const auto seen = runner.run(input_of(1, {{0, 1, 0}}));
    REQUIRE(seen);
    CHECK(seen->is_composed);
    CHECK(seen->input.tasks == 3);
    check_repeats<samples::ring<false>>(*seen);

    const wedge::fuzz_design repaired = wedge::fuzz_design_of<samples::ring<true>>();
    wedge::fuzz_runner quiet(repaired);
    for (std::uint8_t action = 0; action < 3; ++action)
        CHECK_FALSE(quiet.run(input_of(1, {{0, action, 0}})));
}

TEST_CASE("fuzz: a finding that is known by its signature is passed over, in its design alone") {
    using broken = samples::transfer<false>;
    const std::vector<std::uint8_t> input = wedge::encode(input_of(2, {{0, 0, 0}, {1, 1, 2}}));
    const auto is_found = [&](const std::string& design, const std::string& signature) {
        wedge::fuzz_group group({wedge::fuzz_design_of<broken>()});
        group.pass_over(design, signature);
        return group.run(input).has_value();
    };
    const std::string design = wedge::fuzz_design_of<broken>().name;
    CHECK(is_found("another design", "cycle a/EE b/EE"));
    CHECK(is_found(design, "cycle a/EE c/EE"));
    CHECK_FALSE(is_found(design, "cycle a/EE b/EE"));
}

TEST_CASE("fuzz: behind known findings, settling takes no more than its share of the inputs") {
    wedge::fuzz_group group({wedge::fuzz_design_of<many_orders>()});
    std::vector<std::uint8_t> bytes(64);
    std::size_t size = 0;
    std::set<std::string> found;
    std::uint64_t largest = 0;  // of one input: what was begun is ended
    constexpr unsigned inputs = 3'000;
    for (unsigned i = 1; i <= inputs; ++i) {
        const std::uint64_t before = i == 1 ? 0 : group.last_run()->settled();
        size = group.mutate(bytes.data(), i % 16 == 0 ? 0 : size, bytes.size(), i);
        if (const auto seen = group.run(std::span<const std::uint8_t>(bytes.data(), size))) {
            found.insert(seen->signature);
            group.pass_over(*seen);
        }
        largest = std::max(largest, group.last_run()->settled() - before);
    }
    CHECK(found.size() > 1);  // other findings come to light
    CHECK(group.last_run()->settled() <= 500 + inputs / 4 + largest);
}

TEST_CASE("fuzz: the result of an input does not depend on earlier inputs") {
    const wedge::fuzz_design design = wedge::fuzz_design_of<samples::transfer<true>>();
    wedge::fuzz_runner runner(design);
    std::array<std::uint8_t, wedge::fuzz_counters_size> first{};
    for (int round = 0; round < 3; ++round) {
        wedge::detail::fuzz_counters.fill(0);
        CHECK_FALSE(runner.run(input_of(2, {{0, 0, 0}, {1, 0, 0}, {1, 2, 0}}, {0, 1, 0, 1})));
        if (round == 0) first = wedge::detail::fuzz_counters;
        CHECK(first == wedge::detail::fuzz_counters);
        CHECK(std::count(first.begin(), first.end(), 0) < 4096 - 1);
        CHECK_FALSE(runner.run(input_of(2, {{0, 1, 0}, {1, 1, 0}})));
    }
}

TEST_CASE("fuzz: a group runs the design that the first byte names, or only the selected design") {
    wedge::fuzz_group group({wedge::fuzz_design_of<samples::transfer<true>>(),
                             wedge::fuzz_design_of<samples::transfer<false>>()});
    std::vector<std::uint8_t> bytes = wedge::encode(input_of(2, {{0, 0, 0}, {1, 1, 2}}));
    CHECK_FALSE(group.run(bytes));
    bytes[0] = 1;
    CHECK(group.design_of(bytes).name == "transfer<broken>");
    CHECK(group.run(bytes));
    group.restrict_to("repaired");
    CHECK_FALSE(group.run(bytes));
    CHECK_THROWS_WITH_AS(group.restrict_to("other"),
                         "there is no design other; there is repaired, broken", wedge::error);
    wedge::fuzz_group twice({wedge::fuzz_design_of<samples::transfer<true>>(),
                             wedge::fuzz_design_of<samples::transfer<true>>()});
    CHECK_THROWS_WITH_AS(twice.restrict_to("other"),
                         "there is no design other; there is repaired, transfer<repaired>",
                         wedge::error);
}

TEST_CASE("fuzz: lock pairs of all inputs are kept, also of an input that shows a finding") {
    wedge::fuzz_group group({wedge::fuzz_design_of<samples::transfer<false>>()});
    const auto run = [&](const wedge::action_program& input) {
        return group.run(wedge::encode(input)).has_value();
    };
    const auto known = [&] {
        std::string text = "nothing ran";
        group.for_each_lock_pairs([&](std::size_t, const std::vector<wedge::dependency>& seen) {
            text = text_of_lock_pairs(seen);
        });
        return text;
    };
    CHECK(known() == "nothing ran");
    CHECK_FALSE(run(input_of(1, {{0, 2, 0}})));
    CHECK(known() == "");
    CHECK_FALSE(run(input_of(1, {{0, 0, 0}})));
    CHECK(known() == "a>b");
    CHECK(run(input_of(2, {{0, 0, 0}, {1, 1, 2}})));
    CHECK(known() == "a>b b>a");
}

namespace {

/// A task waits under a lock that the task which completes takes first, or has no need of.
template <bool IsBroken>
struct awaits {
    wedge::mutex dev{"dev"};
    wedge::completion done{"done"};

    void reset() {
        if (IsBroken) const wedge::guard held(dev);
        done.complete_all();
    }
    void ioctl() {
        const wedge::guard held(dev);
        done.wait();
    }
    static constexpr auto actions = wedge::actions(wedge::action<&awaits::reset>{"reset"},
                                                   wedge::action<&awaits::ioctl>{"ioctl"});
    static constexpr const char* name = IsBroken ? "awaits_broken" : "awaits";
};

}  // namespace

TEST_CASE("fuzz: an input without a hang shows a wait under its signaller's lock") {
    const wedge::action_program input = input_of(2, {{0, 0, 0}, {1, 1, 0}});
    const auto found = shown<awaits<true>>(input);
    REQUIRE(found);
    CHECK(found->what.kind == wedge::finding_kind::deadlock);
    CHECK(!found->what.best.decisions.empty());
    CHECK(!shown<awaits<false>>(input));
}
