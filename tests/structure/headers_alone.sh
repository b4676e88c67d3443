#!/bin/sh
# Compiles every header alone, with clang: headers_alone.sh NINJA CXX INCLUDE_FOLDER SCRATCH_FOLDER [flag...]
#
# A source may look at several headers, each of which includes the one before: it sees that one anyway, so it has nothing
# but what it includes. For the same reason such a source may stand on a precompiled header that all of its headers
# include. So little is read again and again. Each source is compiled as a precompiled header, for which nothing is
# instantiated. Those of `bases` are kept for others to stand on. They stand on none themselves: clang 14 crashes on some
# headers that stand on one that stands on another.
set -e
ninja=$1 cxx=$2 include=$3 scratch=$4
shift 4
bases="core/finding core/stack core/task explore/engine/controller explore/search/strategy lock/checked lock/spinlock
    main/scenario_files main/subcommand model/memory scenario/run stress/stress_sink"  # many include these, and these include much
mkdir -p "$scratch"
cd "$include"
find wedge -name '*.hpp' | LC_ALL=C sort | LC_ALL=C awk -v folder="$scratch" -v bases="$bases" -v compile="$cxx -std=c++20 -I$include $*" '
    # Notes that `from` sees `header` and what that includes.
    function see(from, header,    i) {
        if ((from, header) in sees) return
        sees[from, header] = 1
        size[from]++
        for (i = 1; i <= includes[header]; i++) see(from, included[header, i])
    }
    # Returns the largest header that no source looks at yet, that `from` sees, and that sees `base`.
    function largest(from, base,    n, found) {
        for (n = 1; n <= files; n++)
            if (!(headers[n] in looked_at) && !(headers[n] in is_base) && (!from || (from, headers[n]) in sees) &&
                (!base || (headers[n], base) in sees) && (!found || size[headers[n]] > size[found]))
                found = headers[n]
        return found
    }
    # Adds a source that looks at `top` and at headers that this includes, and stands on `base`.
    function look(top, base, kept,    header, text, source) {
        for (header = top; header; header = largest(header, base)) {
            looked_at[header] = 1
            text = "#include \"" header "\"\n" text
        }
        source = folder "/" (++sources) ".hpp"
        printf "%s", text > source
        close(source)
        print "build " top ".seen: look " source (base ? " | " base ".seen" : "")
        print "  to = " (kept ? top ".pch" : "/dev/null")
        if (base) print "  base = -include-pch " base ".pch"
    }
    {
        headers[++files] = $0
        while ((getline line < $0) > 0)
            if (line ~ /^#include "wedge\//) {
                split(line, parts, "\"")
                included[$0, ++includes[$0]] = parts[2]
            }
        close($0)
    }
    END {
        print "rule look\n  command = " compile " -x c++-header $base $in -o $to && touch $out"
        for (n = 1; n <= files; n++) see(headers[n], headers[n])
        n_bases = split(bases, base)
        for (n = 1; n <= n_bases; n++) is_base[base[n] = "wedge/" base[n] ".hpp"] = 1
        for (n = 1; n <= n_bases; n++) look(base[n], "", 1)
        while (top = largest()) {
            on = ""
            for (n = 1; n <= n_bases; n++) if ((top, base[n]) in sees && size[base[n]] > size[on]) on = base[n]
            look(top, on)
        }
        exit !files
    }' >"$scratch/build.ninja"
"$ninja" -C "$scratch"
rm -rf "$scratch"  # half a gigabyte
