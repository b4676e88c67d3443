// A data race that only TSan can see, and its repaired twin, under everything that carries tasks.
//
// ctest: race_is_seen_on_fibers when=tsan exit=66 fibers racy => data race
// ctest: no_race_is_seen_on_fibers when=tsan fibers sound =/> WARNING
// ctest: race_is_seen_on_baton_threads when=tsan exit=66 threads racy => data race
// ctest: no_race_is_seen_on_baton_threads when=tsan threads sound =/> WARNING
// ctest: race_is_seen_natively when=tsan exit=66 native racy => data race
// ctest: no_race_is_seen_natively when=tsan native sound =/> WARNING
#include <cstdio>
#include <cstring>
#include <memory>

#include "wedge/explore.hpp"
#include "wedge/explore/engine/stacks.hpp"
#include "wedge/wedge.hpp"

namespace {

bool is_racy = false;

struct shared {
    wedge::mutex lock{"lock"};
    wedge::mutex other{"other"};
    wedge::condition changed{"changed"};
    wedge::shared_mutex table{"table"};
    int counter = 0;
    int rows = 0;
    bool is_ready = false;
    std::shared_ptr<int> owned = std::make_shared<int>(0);

    void count() {
        if (is_racy) {
            ++counter;  // the bug: the locks around it order nothing
            const wedge::guard held(other);
        } else {
            const wedge::guard held(lock);
            ++counter;
        }
        const auto mine = owned;  // its count of references is synchronisation, seen or not
        const wedge::guard held(table);
        ++rows;
    }
    void wait() {
        wedge::guard held(lock);
        changed.wait(held, [&] { return is_ready; });
        is_ready = false;
    }
    void set() {
        wedge::thread child([this] {
            const wedge::guard held(lock);
            is_ready = true;
            changed.notify_one();
        });
        {
            const wedge::shared_guard reading(table);
            if (rows > 3) is_racy = true;  // never: two tasks count
        }
        child.join();
    }
    static constexpr auto actions =
        wedge::actions(wedge::action<&shared::count>{"count"}, wedge::action<&shared::wait>{"wait"},
                       wedge::action<&shared::set>{"set"});
};

void run_natively() {
    shared state;
    wedge::thread one([&] { state.count(); });
    wedge::thread two([&] { state.count(); });
    wedge::thread three([&] { state.wait(); });
    state.set();
    one.join();
    two.join();
    three.join();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    is_racy = std::strcmp(argv[2], "racy") == 0;
    if (std::strcmp(argv[1], "native") == 0) {
        run_natively();
    } else {
        const bool on_fibers = std::strcmp(argv[1], "fibers") == 0 && wedge::has_fibers;
        wedge::explore<shared>(
            wedge::parse_program("count | count | wait | set"),
            {.executions_max = 60,
             .on = on_fibers ? wedge::substrate::fibers : wedge::substrate::threads});
    }
    std::puts("done");
}
