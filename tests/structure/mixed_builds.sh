#!/bin/sh
# Checks that a program of two WEDGE_LEVELs, or of another setting that must be one in a whole program, says so at
# start-up and aborts, and that a program of one setting runs: mixed_builds.sh CXX INCLUDE_FOLDER
set -e
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cxx="$1 -std=c++20 -I$2"

# check HEADER FLAGS_OF_MAIN FLAGS_OF_OTHER FLAGS_OF_LINKER [SAID]: without SAID the program is to run
check() {
    printf '#include "%s"\nint main() {}\n' "$1" > "$work/main.cpp"
    printf '#include "%s"\n' "$1" > "$work/other.cpp"
    $cxx $2 -c "$work/main.cpp" -o "$work/main.o"
    $cxx $3 -c "$work/other.cpp" -o "$work/other.o"
    $cxx $4 "$work/main.o" "$work/other.o" -o "$work/program" -pthread
    if "$work/program" 2> "$work/said"; then ended=well; else ended=badly; fi
    [ -z "$5" ] && expected=well || expected=badly
    [ $ended = $expected ] || { echo "$1 with '$2' and '$3': ended $ended"; cat "$work/said"; exit 1; }
    [ -z "$5" ] || grep -q -e "mixes translation units of different $5" "$work/said"
}

check wedge/core/level.hpp -DWEDGE_LEVEL=1 -DWEDGE_LEVEL=1 ''
check wedge/core/level.hpp -DWEDGE_LEVEL=1 -DWEDGE_LEVEL=2 '' WEDGE_LEVEL
check wedge/core/sanitizer.hpp -fsanitize=thread -fsanitize=thread -fsanitize=thread
check wedge/core/sanitizer.hpp -fsanitize=thread '' -fsanitize=thread -fsanitize=thread
check wedge/core/sanitizer.hpp -fsanitize=address '' -fsanitize=address
# The lock headers alone do not care: a library links wedge::wedge, its test wedge::explore.
check wedge/lock/mutex.hpp -DWEDGE_FIBERS=1 '' ''
check wedge/explore/engine/stacks.hpp '' '' ''
if printf '#include <boost/context/detail/fcontext.hpp>\n' | $cxx -fsyntax-only -x c++ - 2> /dev/null; then
    check wedge/explore/engine/stacks.hpp -DWEDGE_FIBERS=1 '' -lboost_context WEDGE_FIBERS
fi
check wedge/explore/engine/stacks.hpp -fsanitize=address '' -fsanitize=address -fsanitize=address
