// What a design says is known when it is compiled: a member of an object is not.
// expect: shrinker_lock
#include "wedge/model/device.hpp"

struct mine : wedge::design::upstream {
#ifndef FIXED
    how shrinker_lock = how::block;
#else
    static constexpr auto shrinker_lock = how::block;
#endif
};

int main() {
    wedge::device<mine> checked;
}
