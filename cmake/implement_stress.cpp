// Compiles what a program needs of wedge beside its own types: wedge::stress adds this source to
// it.
#include "wedge/implement/stress.hpp"
