// Compiles what a program needs of wedge beside its own types: wedge::explore adds this source to
// it.
#include "wedge/implement/explore.hpp"
