// A design states an order at start-up: what is no list of locks is named.
// expect: startup_order
#include "wedge/model/device.hpp"

struct mine : wedge::design::upstream {
#ifndef FIXED
    static constexpr int startup_order = 0;
#else
    static constexpr std::array<wedge::primed_lock, 0> startup_order{};
#endif
};

int main() {
    wedge::device<mine> checked;
}
