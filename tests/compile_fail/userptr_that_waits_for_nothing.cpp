// The wait of a userptr must be callable.
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
