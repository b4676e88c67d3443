#include "wedge/fuzz/lock_program.hpp"

#include <doctest/doctest.h>

#include "wedge/core/rng.hpp"
#include "wedge/scenario/parse.hpp"
#include "wedge/scenario/print.hpp"

#include "support/lock_truth.hpp"

namespace {

constexpr std::uint8_t mutexes = 0;
constexpr std::uint8_t rwsems = 0x55;
constexpr std::uint8_t rwlocks = 0xaa;

bool deadlocks(std::vector<std::uint8_t> bytes) {
    const wedge::lock_program program = wedge::decode_locks(bytes);
    return lock_truth::search(program).deadlocks();
}

}  // namespace

TEST_CASE("lock program: every byte string is a program, and its text parses to an equal program") {
    wedge::rng random(3);
    for (int i = 0; i < 500; ++i) {
        std::vector<std::uint8_t> bytes(random.below(30));
        for (std::uint8_t& each : bytes) each = static_cast<std::uint8_t>(random.below(256));
        const wedge::lock_program program = wedge::decode_locks(bytes);
        if (program.tasks.empty()) continue;
        const wedge::scenario::document all = wedge::document_of(program);
        CHECK(wedge::scenario::parse(wedge::scenario::to_string(all), "made") == all);
    }
}

TEST_CASE("lock program: a second acquire is a release, and all locks are released at the end") {
    using act = wedge::lock_program::act;
    const wedge::lock_program program =
        wedge::decode_locks(std::vector<std::uint8_t>{0, mutexes, 0, 0, 0, 1, 0, 0, 3, 2});
    REQUIRE(program.tasks.size() == 1);
    CHECK(program.tasks[0] ==
          std::vector<wedge::lock_program::step>{
              {act::acquire, 0}, {act::acquire, 1}, {act::release, 0}, {act::release, 1}});
}

TEST_CASE("lock truth: decides the textbook cases") {
    CHECK(deadlocks({1, mutexes, 0, 0, 0, 1, 16, 1, 16, 0}));
    CHECK_FALSE(deadlocks({1, mutexes, 0, 0, 0, 1, 16, 0, 16, 1}));
    CHECK_FALSE(deadlocks({1, mutexes, 0, 0, 2, 1, 16, 1, 16, 0}));  // one task only tries
    // Readers in both orders: a queued writer of each lock stops them, unless readers overtake it.
    CHECK_FALSE(deadlocks({1, rwsems, 1, 0, 1, 1, 17, 1, 17, 0}));
    CHECK(deadlocks({3, rwsems, 1, 0, 1, 1, 17, 1, 17, 0, 32, 0, 48, 1}));
    CHECK_FALSE(deadlocks({3, rwlocks, 1, 0, 1, 1, 17, 1, 17, 0, 32, 0, 48, 1}));
}

TEST_CASE("lock program: a nested acquire takes another lock than the held locks") {
    const std::vector<std::uint8_t> before = {0, 0, 0x00, 0, 0x03, 0};  // acquire(a), release(a)
    bool is_nested = false;
    for (std::uint64_t seed = 0; seed < 64; ++seed) {
        std::vector<std::uint8_t> bytes = before;
        bytes.resize(16);
        bytes.resize(wedge::nest_locks(bytes.data(), before.size(), bytes.size(), seed));
        REQUIRE(bytes.size() == before.size() + 4);
        const wedge::lock_program program = wedge::decode_locks(bytes);
        const auto& task = program.tasks.at(0);
        is_nested = is_nested || (task.size() == 4 && task[0].lock != 0 && task[1].lock == 0 &&
                                  task[3].what == wedge::lock_program::act::release);
    }
    CHECK(is_nested);
    std::vector<std::uint8_t> full = before;
    CHECK(wedge::nest_locks(full.data(), full.size(), full.size(), 1) == full.size());
}
