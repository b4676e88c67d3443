#!/bin/sh
# Fails if an object defines a function or variable that no second object of a program may define: odr.sh NM OBJECT
symbols=$("$1" --defined-only --extern-only -C "$2") || exit 2
printf '%s\n' "$symbols" | grep -q ' W wedge::' || { echo "$2: no inline function of wedge: nothing was compiled"; exit 1; }
! printf '%s\n' "$symbols" | grep ' [A-TX-Z] '  # V and W: weak; u: unique in the process
