// A design says how every lock is taken: a value of another type is named.
// expect: shrinker_lock
#include "wedge/model/device.hpp"

constexpr wedge::locking_design mine{
#ifndef FIXED
    .shrinker_lock = "try"
#else
    .shrinker_lock = wedge::design::how::try_
#endif
};

int main() {
    wedge::device<mine> checked;
}
