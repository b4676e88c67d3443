// A design says how every lock is taken: what it lacks is named.
// expect: shrinker_lock
#include "wedge/model/device.hpp"

struct mine : wedge::design::upstream {
#ifndef FIXED
    static constexpr const char* shrinker_lock = "try";
#else
    static constexpr auto shrinker_lock = how::block;
#endif
};

int main() {
    wedge::device<mine> checked;
}
