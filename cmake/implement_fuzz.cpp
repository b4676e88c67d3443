// Compiles what a program needs of wedge beside its own types: wedge::fuzz adds this source to it.
#include "wedge/implement/fuzz.hpp"
