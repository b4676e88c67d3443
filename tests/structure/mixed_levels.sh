#!/bin/sh
# Checks that a program of two WEDGE_LEVELs says so at start-up and aborts: mixed_levels.sh CXX INCLUDE_FOLDER
set -e
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '#include "wedge/base/level.hpp"\nint main() {}\n' > "$work/main.cpp"
printf '#include "wedge/base/level.hpp"\n' > "$work/other.cpp"
for level in 1 2; do
    "$1" -std=c++20 -I"$2" -DWEDGE_LEVEL=1 -c "$work/main.cpp" -o "$work/main.o"
    "$1" -std=c++20 -I"$2" -DWEDGE_LEVEL=$level -c "$work/other.cpp" -o "$work/other.o"
    "$1" "$work/main.o" "$work/other.o" -o "$work/program"
    if "$work/program" 2> "$work/said"; then ended=well; else ended=badly; fi
    [ $level = 1 ] && expected=well || expected=badly
    [ $ended = $expected ] || { echo "levels 1 and $level: ended $ended"; exit 1; }
done
grep -q 'mixes translation units of different WEDGE_LEVEL' "$work/said"
