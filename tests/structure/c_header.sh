#!/bin/sh
# Compiles wedge/c.h and the C example as C, with each compiler that is there: c_header.sh SOURCE_FOLDER
cd "$1" || exit 2
tried=0
for compiler in gcc clang; do
    if ! command -v "$compiler" >/dev/null; then
        echo "$compiler is not installed: skipped"
        continue
    fi
    tried=1
    for standard in c99 c17; do
        for source in examples/c_driver/*.c; do
            "$compiler" -fsyntax-only "-std=$standard" -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes \
                -Werror -Iinclude "$source" || exit 1
        done
    done
done
[ "$tried" = 1 ] || { echo "neither gcc nor clang is installed"; exit 1; }
