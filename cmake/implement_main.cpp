// Compiles what a program needs of wedge beside its own types: wedge::main adds this source to it.
#include "wedge/implement/main.hpp"
