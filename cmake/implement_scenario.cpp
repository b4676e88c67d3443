// Compiles the engines of scenarios for programs of this repository without wedge::main.
#include "wedge/implement/scenario.hpp"
