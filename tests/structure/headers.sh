#!/bin/sh
# Checks the form of every header: its columns, how it begins, how it includes: headers.sh INCLUDE_FOLDER
cd "$1" || exit 2
find wedge -name '*.hpp' | LC_ALL=C sort | LC_ALL=C awk '
    function violation(text) { print file ":" number ": " text; violations++ }
    BEGIN {
        # These cost every user too much to sit under a lock.
        n = split("iostream regex random ranges filesystem format functional", words, " ")
        for (i = 1; i <= n; i++) heavy["<" words[i] ">"] = 1
    }
    {
        file = $0; number = 0; begun = 0; files++
        light = file ~ /^wedge\/(core|order|lock)\//
        while ((getline line < file) > 0) {
            number++
            # mawk counts bytes; a byte that continues a UTF-8 character is no column.
            columns = line; gsub(/[\200-\277]/, "", columns)
            if (length(columns) > 100) violation(length(columns) " columns, 100 are allowed")
            if (!begun && line ~ /^#pragma once$/) {
                begun = 1
                if (number < 2 || number > 3) violation("one or two comment lines, then #pragma once")
            } else if (!begun) {
                begun = line !~ /^\/\//
                if (begun) violation("one or two comment lines, then #pragma once")
            }
            if (line !~ /^[ \t]*#[ \t]*include/) continue
            what = line; sub(/^[ \t]*#[ \t]*include[ \t]*/, "", what); sub(/[ \t].*/, "", what)
            if (what ~ /^"/ && what !~ /^"wedge\// || what ~ /^<wedge\//)
                violation("our own headers are included from the root as \"wedge/...\", not as " what)
            if (light && what in heavy) violation(what " is too heavy for this folder")
        }
        close(file)
        if (!begun) violation("no #pragma once")
    }
    END { if (!files) { file = "wedge"; violation("no headers found") } exit violations > 0 }'
