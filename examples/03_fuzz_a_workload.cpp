// A workload of your own as a fuzz target: state, actions with integers, and one line.
//
//     ./03_fuzz_a_workload          tries random programs and schedules until something is found
//
// prints who called what, and how it hangs: an insert that gets no memory takes the other bucket
// too, which no test had run. Without the main below, and with clang's -fsanitize=fuzzer, it is a
// libFuzzer target (docs/fuzzing.md).
//
// ctest: 03_finds_it when=plain,asan => cache: starve\(1\), insert[^|]* \| starve\(1\), insert[^|]*\nconfirmed deadlock
#include <cstdio>

#include "wedge/fuzz.hpp"
#include "wedge/model/memory.hpp"
#include "wedge/report/text.hpp"
#include "wedge/wedge.hpp"

/// Entries in two buckets. An insert that gets no memory makes room in the other bucket.
struct cache {
    wedge::mutex buckets[2]{wedge::mutex("bucket 0"), wedge::mutex("bucket 1")};
    wedge::memory memory;

    void insert(std::uint32_t key) {
        const wedge::guard mine(buckets[key % 2]);
        if (memory.alloc(1, wedge::gfp_nowait)) return;
        const wedge::guard other(buckets[(key + 1) % 2]);  // the bug: the buckets have no order
    }
    /// Lets this task's later allocations fail (odd numbers) or not (even numbers).
    void starve(std::uint32_t how) { wedge::put_under({.fail_allocations = how % 2 != 0}); }

    static constexpr auto actions = wedge::actions(wedge::action<&cache::insert>{"insert"},
                                                   wedge::action<&cache::starve>{"starve"});
};

WEDGE_FUZZ(cache)

int main() {
    const auto found = wedge::fuzz(100'000);
    if (!found) return 1;
    std::printf("workload: cache: %s\n%s", found->best.program.c_str(),
                wedge::text_of(*found).c_str());
    return 0;
}
