#include "wedge/fuzz/action_program.hpp"

#include <doctest/doctest.h>

#include "wedge/core/rng.hpp"
#include "wedge/fuzz/mutate.hpp"

namespace {

const wedge::action_counts designs{3, 1, 32};

std::vector<std::uint8_t> any_bytes(wedge::rng& random) {
    std::vector<std::uint8_t> bytes(random.below(80));
    for (std::uint8_t& each : bytes) each = static_cast<std::uint8_t>(random.below(256));
    return bytes;
}

void check_fits(const wedge::action_program& what) {
    CHECK(what.design < designs.size());
    CHECK(what.tasks >= 1);
    CHECK(what.tasks <= wedge::action_program::tasks_max);
    CHECK(what.records.size() <= wedge::action_program::records_max);
    for (const wedge::action_record& each : what.records) {
        CHECK(each.task < what.tasks);
        CHECK(each.action < designs[what.design]);
    }
}

}  // namespace

TEST_CASE("action program: each field has its documented bytes") {
    const std::vector<std::uint8_t> bytes{3, 1, 2, 0x21, 7, 0x05, 255, 9, 8};
    const wedge::action_program what = wedge::decode(bytes, designs);
    CHECK(what.design == 0);
    CHECK(what.tasks == 2);
    REQUIRE(what.records.size() == 2);
    CHECK(what.records[0] == wedge::action_record{1, 1, 7});
    CHECK(what.records[1] == wedge::action_record{0, 2, 255});
    CHECK(what.answers == std::vector<std::uint8_t>{9, 8});
}

TEST_CASE(
    "action program: every byte string is a program, and decoding its encoding gives it again") {
    wedge::rng random(7);
    for (int i = 0; i < 5000; ++i) {
        const wedge::action_program what = wedge::decode(any_bytes(random), designs);
        check_fits(what);
        CHECK(wedge::decode(wedge::encode(what), designs) == what);
        const std::vector<std::uint8_t> bytes = wedge::encode(what);
        CHECK(wedge::encode(wedge::decode(bytes, designs)) == bytes);
    }
}

TEST_CASE("action program: an empty input is an empty program") {
    const wedge::action_program what = wedge::decode({}, designs);
    CHECK(what == wedge::action_program{});
    std::vector<std::vector<wedge::action_record>> tasks;
    wedge::split_by_task(what, tasks);
    CHECK(tasks.empty());
}

TEST_CASE("action program: encode never exceeds the given size") {
    wedge::rng random(8);
    for (int i = 0; i < 500; ++i) {
        const wedge::action_program what = wedge::decode(any_bytes(random), designs);
        for (std::size_t most = 0; most < 70; ++most) {
            const std::vector<std::uint8_t> bytes = wedge::encode(what, most);
            CHECK(bytes.size() <= most);
            check_fits(wedge::decode(bytes, designs));
        }
    }
}

TEST_CASE("action program: tasks without calls are dropped, also from the text") {
    wedge::action_program what;
    what.tasks = 4;
    what.records = {{3, 1, 0}, {1, 0, 2}, {3, 0, 0}};
    std::vector<std::vector<wedge::action_record>> tasks;
    wedge::split_by_task(what, tasks);
    CHECK(wedge::to_string(wedge::program_of(tasks, {"put", "get"})) == "put(2) | get, put");
}

TEST_CASE("mutate: results fit the size limit, and keep a selected design") {
    wedge::rng random(9);
    std::vector<std::uint8_t> bytes(64);
    for (int only = -1; only < 3; ++only) {
        std::size_t size = 0;
        for (std::uint64_t seed = 0; seed < 3000; ++seed) {
            const std::size_t most = 1 + random.below(64);
            size = wedge::mutate(bytes.data(), std::min(size, most), most, seed, designs, only);
            CHECK(size <= most);
            const wedge::action_program what =
                wedge::decode(std::span<const std::uint8_t>(bytes.data(), size), designs);
            check_fits(what);
            if (only >= 0) CHECK(what.design == only);
        }
    }
}

TEST_CASE("mutate: equal seeds make equal bytes") {
    std::vector<std::uint8_t> first{0, 1, 1, 0, 0}, second = first;
    first.resize(64);
    second.resize(64);
    const std::size_t a = wedge::mutate(first.data(), 5, 64, 42, designs, -1);
    const std::size_t b = wedge::mutate(second.data(), 5, 64, 42, designs, -1);
    CHECK(a == b);
    CHECK(first == second);
}

TEST_CASE(
    "cross over: takes all calls of a task from one program, and only calls that fit the design") {
    std::vector<std::uint8_t> bytes(64);
    const std::vector<std::uint8_t> four{0, 3, 4, 0x00, 1, 0x20, 1, 0x40, 1, 0x01, 1};
    const std::vector<std::uint8_t> two{2, 1, 3, 0x05, 9, 0x25, 9, 0x1f, 9, 7};
    const wedge::action_program one = wedge::decode(four, designs);
    const wedge::action_program other = wedge::decode(two, designs);
    unsigned mixed = 0;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const std::size_t size = wedge::cross_over(wedge::encode(one), wedge::encode(other),
                                                   bytes.data(), bytes.size(), seed, designs, -1);
        const auto made = wedge::decode(std::span<const std::uint8_t>(bytes.data(), size), designs);
        check_fits(made);
        CHECK(made.design == one.design);
        bool has_one = false, has_other = false;
        for (std::uint8_t task = 0; task < made.tasks; ++task) {
            std::vector<std::uint8_t> arguments;
            for (const wedge::action_record& each : made.records)
                if (each.task == task) arguments.push_back(each.argument);
            for (const std::uint8_t each : arguments) {
                CHECK(each == arguments.front());
                (each == 1 ? has_one : has_other) = true;
            }
        }
        mixed += has_one && has_other ? 1 : 0;
    }
    CHECK(mixed > 50);
}
