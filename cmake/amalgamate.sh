#!/bin/sh
# Prints the locks, the checker, the explorer and the roles as one header, wedge-all.hpp: amalgamate.sh INCLUDE_FOLDER
#
# Each header comes once, after those that it includes. A header that is included under a condition stays under it, and
# what it includes comes before the condition. What one source of a program compiles comes last, under WEDGE_IMPLEMENT.
cd "$1" || exit 2
LC_ALL=C awk '
    function fail(text) { print "amalgamate.sh: " text > "/dev/stderr"; failed = 1; exit 1 }
    function included(line) {
        if (line !~ /^#[ \t]*include "wedge\//) return ""
        sub(/^#[ \t]*include "/, "", line); sub(/".*/, "", line)
        return line
    }
    function read_file(file,    line, n) {
        if (file in length_of) return
        n = 0
        while ((getline line < file) > 0) text[file, ++n] = line
        close(file)
        if (n == 0) fail("cannot read " file)
        length_of[file] = n
    }
    # Prints what a file includes, and not the file.
    function before(file,    i, depth, other, line) {
        read_file(file)
        for (i = 1; i <= length_of[file]; i++) {
            line = text[file, i]
            if (line ~ /^#[ \t]*if/) depth++
            if (line ~ /^#[ \t]*endif/) depth--
            other = included(line)
            if (other == "" || other ~ /^wedge\/implement\// && !implements) continue
            if (depth > 0 && file !~ /\.h$/) { before(other); continue }
            whole(other)
        }
    }
    function body(file,    i, depth, other, line) {
        for (i = 1; i <= length_of[file]; i++) {
            line = text[file, i]
            if (line ~ /^#pragma once/) continue
            if (line ~ /^#[ \t]*if/) depth++
            if (line ~ /^#[ \t]*endif/) depth--
            other = included(line)
            if (other == "") { print line; continue }
            if (other ~ /^wedge\/implement\// && !implements) continue
            if (depth > 0 && !(other in printed)) { printed[other] = 1; read_file(other); body(other) }
        }
    }
    function whole(file) {
        if (file in printed) return
        printed[file] = 1
        before(file)
        body(file)
    }
    BEGIN {
        print "// wedge in one header, made by cmake/amalgamate.sh. One source of a program defines"
        print "// WEDGE_IMPLEMENT before it includes this header."
        print "#pragma once"
        n = split("wedge.hpp std.hpp c.h explore.hpp model.hpp report/allow_list.hpp", roots, " ")
        for (r = 1; r <= n; r++) whole("wedge/" roots[r])
        implements = 1
        print "#if defined(WEDGE_IMPLEMENT)"
        n = split("order explore", roots, " ")
        for (r = 1; r <= n; r++) whole("wedge/implement/" roots[r] ".hpp")
        print "#endif"
    }
    END { exit failed }'
