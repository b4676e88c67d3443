// expect: requires holding mutex
// compiler: clang
// flags: -Wthread-safety -Werror
#include "wedge/wedge.hpp"

struct counter {
    wedge::mutex lock{"lock"};
    int value WEDGE_GUARDED_BY(lock) = 0;

    void add() {
#ifdef FIXED
        const wedge::guard held(lock);
#endif
        ++value;
    }
};

int main() {
    counter c;
    c.add();
}
