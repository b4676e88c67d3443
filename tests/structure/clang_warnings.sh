#!/bin/sh
# Checks that clang, with its thread-safety analysis, warns of nothing in the library of `wedge run`:
# clang_warnings.sh ROOT SOURCE..., the sources of that library in tools/run.
#
# The configurations with clang do not build that library, since a sanitizer has hooks of its own. They compile all others.
command -v clang++ >/dev/null || { echo "skipped, clang++ is not installed"; exit 77; }
root=$1
shift
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
status=0
for source; do
    unit=together
    [ "$source" != session.cpp ] || unit=apart  # it has a name of recorder.cpp
    printf '#include "%s"\n' "$root/tools/run/$source" >>"$scratch/$unit.cpp"
done
for source in "$scratch"/*.cpp; do
    clang++ -std=c++20 "-I$root/include" "-I$root/tools" -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wthread-safety \
        -Werror -fsyntax-only "$source" || status=1
done
exit $status
