// expect: exploration needs instrumented locks
#ifndef FIXED
#define WEDGE_LEVEL 0
#endif
#include "wedge/explore/options.hpp"

int main() {}
