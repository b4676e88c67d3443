// A design that overrides nothing has misspelt a name.
// expect: overrides_something_of_upstream
#include "wedge/model/device.hpp"

struct mine : wedge::design::upstream {
#ifndef FIXED
    static constexpr auto shrinker_lok = how::block;
#else
    static constexpr auto shrinker_lock = how::block;
#endif
};

int main() {
    wedge::device<mine> checked;
}
