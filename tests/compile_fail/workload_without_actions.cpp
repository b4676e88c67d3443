// A workload has actions: a type without them is none.
// expect: actions
#include "wedge/workload/workload.hpp"

struct driver {
#ifdef FIXED
    void close() {}
    static constexpr auto actions = wedge::actions(wedge::action<&driver::close>{"close"});
#endif
};

int main() {
    return wedge::workload_name<driver>().empty();
}
