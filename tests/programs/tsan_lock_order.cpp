// TSan's own lock-order detector sees our locks, natively and under control.
//
// ctest: tsan_sees_the_order_natively when=tsan exit=66 native inverted => lock-order-inversion
// ctest: tsan_sees_the_order_under_control when=tsan exit=66 fibers inverted => lock-order-inversion
// ctest: tsan_is_silent_natively when=tsan native ordered =/> WARNING
// ctest: tsan_is_silent_under_control when=tsan fibers ordered =/> WARNING
// ctest: the_order_checker_sees_it_too when=plain,asan native inverted => possible deadlock
#include <cstdio>
#include <cstring>

#include "wedge/explore/explore.hpp"
#include "wedge/wedge.hpp"

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    const bool is_inverted = std::strcmp(argv[2], "inverted") == 0;
    wedge::spinlock a{"a"};
    wedge::shared_mutex b{"b"};
    const auto ab = [&] {
        const wedge::guard first(a);
        const wedge::guard second(b);
    };
    const auto ba = [&] {
        const wedge::guard first(b);
        const wedge::guard second(a);
    };
    if (std::strcmp(argv[1], "fibers") == 0) {
        wedge::explore({ab, is_inverted ? std::function<void()>(ba) : ab},
                       {.how = wedge::strategy::exhaustive});
    } else {
        ab();  // one after the other: nothing hangs, the order shows
        if (is_inverted) ba();
    }
    std::puts("done");
}
