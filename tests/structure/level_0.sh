#!/bin/sh
# Checks that a lock at level 0 compiles to the instructions of the standard's: level_0.sh CXX SOURCE INCLUDE_FOLDER
set -e
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for level in -O1 -O2; do
    "$1" -std=c++20 "$level" -DSTANDARD -c "$2" -o "$work/standard.o"
    "$1" -std=c++20 "$level" -DWEDGE_LEVEL=0 -I"$3" -c "$2" -o "$work/ours.o"
    for kind in standard ours; do
        # The instructions of the one function, its cold part included, without addresses of the file.
        objdump -dr --no-show-raw-insn "$work/$kind.o" |
            awk '/^[0-9a-f]+ <step/ { on = 1; next } /^$/ { on = 0 } on' |
            sed -e 's/^ *[0-9a-f]*:[ \t]*//' -e 's/<[^>]*>//' -e 's/\.text[^ ]*//' > "$work/$kind.txt"
    done
    [ -s "$work/standard.txt" ] || { echo "no instructions found"; exit 1; }
    diff "$work/standard.txt" "$work/ours.txt" || { echo "level 0 differs from the standard's at $level"; exit 1; }
    echo "$level: $(wc -l < "$work/ours.txt") lines, the same"
done
