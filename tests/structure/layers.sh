#!/bin/sh
# Checks every #include "wedge/..." against the table layers.txt: layers.sh INCLUDE_FOLDER
table=$(cd "$(dirname "$0")" && pwd)/layers.txt
[ -r "$table" ] || exit 2
cd "$1" || exit 2
find wedge -name '*.hpp' | LC_ALL=C sort | LC_ALL=C awk -v table="$table" '
    function layer(path,    parts, n) { n = split(path, parts, "/"); return n > 2 ? parts[2] : "." }
    function violation(text) { print text; violations++ }
    BEGIN {
        while ((getline line < table) > 0) {
            if (line ~ /^#/ || line !~ /:/) continue
            name = line; sub(/:.*/, "", name)
            sub(/^[^:]*:/, "", line)
            known[name] = 1
            n = split(line, words, " ")
            for (i = 1; i <= n; i++) allowed[name, words[i]] = 1
        }
        close(table)
    }
    {
        file = $0; own = layer(file); number = 0; files++
        if (!(own in known)) violation(file ": the folder " own " is not in layers.txt")
        while ((getline line < file) > 0) {
            number++
            if (line !~ /^[ \t]*#[ \t]*include[ \t]*"wedge\//) continue
            split(line, parts, "\"")
            other = layer(parts[2])
            if (other == own || (own, other) in allowed || (own, "*") in allowed) continue
            violation(file ":" number ": " own " may not include " other " (" parts[2] ")")
        }
        close(file)
    }
    END { if (!files) violation("no headers found"); exit violations > 0 }'
