#!/bin/sh
# Checks the rule numbers of docs/RULES.md: rules.sh INCLUDE_DIRECTORY RULES_FILE
#
# Every rule that a comment cites ("rule 20", "Rules 10, 12a and 13") must exist. Every rule must be cited, so that
# a reader of the list finds its code. Every file that the list names must exist.
include=$1
rules=$2
[ -d "$include" ] && [ -r "$rules" ] || exit 2
find "$include" -name '*.hpp' | LC_ALL=C sort | LC_ALL=C awk -v rules="$rules" -v root="$include/.." '
    function violation(text) { print text; violations++ }
    function cited(number, file) {
        if (number in known) used[number] = 1
        else violation(file ": cites rule " number ", which is not in " rules)
    }
    # A citation may go on in the next line of a comment, so the text of a file is read as one line.
    function read_citations(file, text,    at, numbers, n, i) {
        while (match(text, /[Rr]ules? [0-9]+[a-z]?((,| and|, and) [0-9]+[a-z]?)*/)) {
            numbers = substr(text, RSTART, RLENGTH)
            text = substr(text, RSTART + RLENGTH)
            gsub(/[Rr]ules? |,|and/, " ", numbers)
            n = split(numbers, list, " ")
            for (i = 1; i <= n; i++) cited(list[i], file)
        }
    }
    BEGIN {
        while ((getline line < rules) > 0) {
            if (match(line, /^### Rule [0-9]+[a-z]?: /)) {
                number = substr(line, 10, RLENGTH - 11)
                if (number in known) violation(rules ": rule " number " is there twice")
                known[number] = 1
                count++
            } else if (line ~ /^### /) {
                violation(rules ": expected \"### Rule NUMBER: TITLE\": " line)
            }
            while (match(line, /`tests\/[a-z_\/]*\.(cpp|sh)`/)) {
                path = root "/" substr(line, RSTART + 1, RLENGTH - 2)
                line = substr(line, RSTART + RLENGTH)
                if ((getline first < path) <= 0) violation(rules ": there is no " path)
                close(path)
            }
        }
        close(rules)
        if (!count) violation(rules ": no rules found")
    }
    {
        file = $0; text = ""; files++
        while ((getline line < file) > 0) {
            sub(/^[ \t]*\/\/\/?/, "", line)
            text = text " " line
        }
        close(file)
        gsub(/[ \t]+/, " ", text)
        read_citations(file, text)
    }
    END {
        if (!files) violation("no headers found")
        for (number in known) if (!(number in used)) violation(rules ": no header cites rule " number)
        exit violations > 0
    }'
