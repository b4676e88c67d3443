// What a userptr waits for is something to call.
// expect: invocable
#include "wedge/model/userptr.hpp"

struct idle {
#ifdef FIXED
    void operator()() const {}
#endif
};

int main() {
    wedge::userptr<idle> pages{idle{}};
}
