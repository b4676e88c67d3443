// Compiles what a program needs of wedge beside its own types: wedge::wedge adds this source to it.
#include "wedge/implement/order.hpp"
