#!/bin/sh
# Fails if an object defines a function or variable that no second object of a program may define: odr.sh NM OBJECT...
nm=$1
shift
failed=0
for object; do
    symbols=$("$nm" --defined-only --extern-only -C "$object") || exit 2
    printf '%s\n' "$symbols" | grep -q ' W wedge::' || { echo "$object: no inline function of wedge: nothing was compiled"; exit 1; }
    ! printf '%s\n' "$symbols" | grep ' [A-TX-Z] ' || failed=1  # V and W: weak; u: unique in the process
done
exit $failed
