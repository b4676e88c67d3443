// The whole device asks more of a design than the small one: what it lacks is named.
// expect: submit_copy
#include "wedge/model/gpu_device.hpp"

struct mine : wedge::design::upstream {
#ifndef FIXED
    static constexpr const char* submit_copy = "early";
#else
    static constexpr auto submit_copy = copy_at::under_reservation;
#endif
};

int main() {
    wedge::gpu_device<mine> checked;
}
