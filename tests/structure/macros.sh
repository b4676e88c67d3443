#!/bin/sh
# Checks that include/ defines the macros of macros.txt and no other, and mentions each of them: macros.sh INCLUDE_FOLDER
list=$(cd "$(dirname "$0")" && pwd)/macros.txt
[ -r "$list" ] || exit 2
cd "$1" || exit 2
find wedge -name '*.hpp' | LC_ALL=C sort | LC_ALL=C awk -v list="$list" '
    function violation(text) { print text; violations++ }
    BEGIN {
        while ((getline line < list) > 0)
            if (line ~ /^[A-Z]/) { split(line, words, " "); listed[words[1]] = 1 }
        close(list)
    }
    {
        file = $0; number = 0; files++
        while ((getline line < file) > 0) {
            number++
            rest = line
            while (match(rest, /WEDGE_[A-Z0-9_]+/)) {
                mentioned[substr(rest, RSTART, RLENGTH)] = 1
                rest = substr(rest, RSTART + RLENGTH)
            }
            if (line !~ /^[ \t]*#[ \t]*define[ \t]/) continue
            if (file ~ /^wedge\/linux\//) continue  # the kernel has these names, and drivers use them
            name = line; sub(/^[ \t]*#[ \t]*define[ \t]+/, "", name); sub(/[^A-Za-z0-9_].*/, "", name)
            if (!(name in listed)) violation(file ":" number ": the macro " name " is not in macros.txt")
        }
        close(file)
    }
    END {
        if (!files) violation("no headers found")
        for (name in listed) if (!(name in mentioned)) violation("macros.txt: no header has " name)
        exit violations > 0
    }'
