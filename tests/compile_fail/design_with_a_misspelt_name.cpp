// A misspelt member of a design is named.
// expect: shrinker_lok
#include "wedge/model/device.hpp"

constexpr wedge::locking_design mine{
#ifndef FIXED
    .shrinker_lok = wedge::design::how::block
#else
    .shrinker_lock = wedge::design::how::block
#endif
};

int main() {
    wedge::device<mine> checked;
}
