#!/bin/sh
# Checks that locks and checker compile in other language modes, with another standard library and for another machine:
# portable.sh ROOT
#
# It only compiles small users, in seconds; tools/portability.sh runs them too. A mode whose compiler or library is not
# installed is skipped, and says so.
root=$1
use="$root/tests/consumer"
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
failures=0
compiled=0

# try NAME SOURCE COMPILER FLAGS...
try() {
    name=$1 source=$2
    shift 2
    command -v "$1" >/dev/null || { echo "$name: skipped, $1 is not installed"; return; }
    compiled=$((compiled + 1))
    if "$@" -fsyntax-only -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -I"$root/include" "$source"; then
        echo "$name: compiles"
    else
        echo "$name: FAILED: $* $source"
        failures=$((failures + 1))
    fi
}

try "C++23, gcc" "$use/use_std.cpp" g++ -std=c++23
# One compile for two: each costs seconds.
if echo '#include <vector>' | clang++ -stdlib=libc++ -x c++ -fsyntax-only - 2>"$scratch/why"; then
    try "C++23, clang with libc++" "$use/use_std.cpp" clang++ -std=c++2b -stdlib=libc++
else
    echo "libc++: skipped, clang++ with libc++ (Debian: libc++-dev) is not installed"
    try "C++23, clang" "$use/use_std.cpp" clang++ -std=c++2b
fi
try "no exceptions, no RTTI" "$use/use_wedge.cpp" c++ -std=c++20 -fno-exceptions -fno-rtti -DWEDGE_IMPLEMENT
try "aarch64" "$use/use_wedge.cpp" aarch64-linux-gnu-g++ -std=c++20
# The header that a build makes, wedge-all.hpp (target wedge_all_header).
if sh "$root/cmake/amalgamate.sh" "$root/include" >"$scratch/wedge-all.hpp"; then
    sed 's,^#include <wedge/[a-z]*.hpp>,#include "wedge-all.hpp",; s,^#include "wedge/[a-z]*.hpp",#include "wedge-all.hpp",' \
        "$use/use_wedge.cpp" >"$scratch/use_all.cpp"
    grep -q wedge-all.hpp "$scratch/use_all.cpp" || failures=$((failures + 1))
    root=$scratch try "one header" "$scratch/use_all.cpp" c++ -std=c++20 -iquote "$scratch"
else
    failures=$((failures + 1))
fi
[ "$compiled" -gt 0 ] && [ "$failures" -eq 0 ]
