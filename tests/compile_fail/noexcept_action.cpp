// expect: an action must not be noexcept
#include "wedge/wedge.hpp"
#include "wedge/workload/workload.hpp"

struct transfer {
#ifdef FIXED
    void move() {}
#else
    void move() noexcept {}
#endif
    static constexpr auto actions = wedge::actions(wedge::action<&transfer::move>{"move"});
};

int main() {
    transfer t;
    t.move();
}
