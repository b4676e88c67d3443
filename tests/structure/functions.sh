#!/bin/sh
# Checks that no function is longer than 70 lines: functions.sh FOLDER...
#
# It reads what clang-format has written. A function begins with the line that opens its parameters, and ends with a `}`
# that stands as deep.
find "$@" -name '*.hpp' -o -name '*.cpp' | LC_ALL=C sort | LC_ALL=C awk '
    function count(text, what) { return gsub(what, "", text) }
    {
        file = $0; number = 0; from = 0; open = 0
        while ((getline line < file) > 0) {
            number++
            depth = match(line, /[^ ]/) - 1
            text = substr(line, depth + 1)
            sub(/\/\/.*/, "", text)
            if (open == 0) { first = depth; start = text; began = number }
            open += count(text, "[(]") - count(text, "[)]")
            if (text ~ /^#/ || open < 0) open = 0
            if (from && depth <= inside && text ~ /^}/) {
                functions++
                if (number - from + 1 > 70) {
                    print file ":" from ": a function of " number - from + 1 " lines, 70 are allowed"
                    violations++
                }
                from = 0
            }
            if (from || open != 0 || text !~ /\{$/ || start !~ /\(/) continue
            if (start ~ /^(if|for|while|switch|do|else|try|\}|namespace|class|struct|enum|union|concept)/) continue
            from = began; inside = first
        }
        close(file)
    }
    END { if (functions < 100) { print "only " functions + 0 " functions found"; exit 1 } exit violations > 0 }'
