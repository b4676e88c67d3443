// expect: schedule\(\) is not modelled
#include "wedge/linux.hpp"

int main() {
#ifndef FIXED
    wedge::kernel::schedule();
#endif
}
