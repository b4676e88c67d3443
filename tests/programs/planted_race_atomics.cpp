// A message handed over by an atomic flag: a race where the flag is not looked at, none where it
// is.
//
// ctest: atomics_race_is_seen_on_fibers when=tsan exit=66 fibers racy => data race
// ctest: atomics_no_race_is_seen_on_fibers when=tsan fibers sound =/> WARNING
// ctest: atomics_race_is_seen_on_baton_threads when=tsan exit=66 threads racy => data race
// ctest: atomics_no_race_is_seen_on_baton_threads when=tsan threads sound =/> WARNING
#include <cstdio>
#include <cstring>

#include "wedge/explore.hpp"
#include "wedge/explore/engine/stacks.hpp"
#include "wedge/wedge.hpp"

namespace {

bool is_racy = false;

struct mailbox {
    wedge::atomic<bool> is_full{false};
    wedge::atomic<int> visits{0};
    int letter = 0;
    int seen = 0;

    void put() {
        visits.fetch_add(1);
        letter = 1;
        is_full = true;
    }
    void take() {
        const bool is_there = is_full;
        if (is_there || is_racy) seen = letter;
    }
    static constexpr auto actions =
        wedge::actions(wedge::action<&mailbox::put>{"put"}, wedge::action<&mailbox::take>{"take"});
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    is_racy = std::strcmp(argv[2], "racy") == 0;
    const bool on_fibers = std::strcmp(argv[1], "fibers") == 0 && wedge::has_fibers;
    wedge::explore<mailbox>(
        wedge::default_program<mailbox>(),
        {.executions_max = 60,
         .on = on_fibers ? wedge::substrate::fibers : wedge::substrate::threads});
    std::puts("done");
}
