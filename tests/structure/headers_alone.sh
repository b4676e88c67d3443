#!/bin/sh
# Compiles every header alone, with clang: headers_alone.sh NINJA CXX INCLUDE_FOLDER SCRATCH_FOLDER [flag...]
#
# Each becomes a precompiled header, for which nothing is instantiated: its text alone is looked at. Those that at
# least four include stand for themselves; each of the others is put on the largest of these that it includes, which
# it sees anyway: so it has nothing but what it includes, and little is read again and again. One level of this, not
# more: clang 14 crashes on some that stand on one that stands on another.
set -e
ninja=$1 cxx=$2 include=$3 scratch=$4
shift 4
mkdir -p "$scratch"
cd "$include"
find wedge -name '*.hpp' | LC_ALL=C sort | LC_ALL=C awk -v folder="$include" -v compile="$cxx -std=c++20 -I$include $*" '
    # Notes that `from` sees `header` and what that includes.
    function see(from, header,    i) {
        if ((from, header) in sees) return
        sees[from, header] = 1
        size[from]++
        for (i = 1; i <= includes[header]; i++) see(from, included[header, i])
    }
    {
        headers[++files] = $0
        while ((getline line < $0) > 0)
            if (line ~ /^#include "wedge\//) {
                split(line, parts, "\"")
                included[$0, ++includes[$0]] = parts[2]
                if (++includers[parts[2]] == 4) bases[++n_bases] = parts[2]
            }
        close($0)
    }
    END {
        print "rule precompile\n  command = " compile " -x c++-header $base $in -o $out -MD -MF $out.d"
        print "  depfile = $out.d\n  deps = gcc"
        for (n = 1; n <= files; n++) see(headers[n], headers[n])
        for (n = 1; n <= files; n++) {
            base = ""
            for (i = 1; i <= n_bases && includers[headers[n]] < 4; i++)
                if ((headers[n], bases[i]) in sees && size[bases[i]] > size[base]) base = bases[i]
            print "build " headers[n] ".pch: precompile " folder "/" headers[n] (base ? " | " base ".pch" : "")
            if (base) print "  base = -include-pch " base ".pch"
        }
        exit !files
    }' >"$scratch/build.ninja"
"$ninja" -C "$scratch"
rm -rf "$scratch"  # a gigabyte
