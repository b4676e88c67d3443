#!/bin/sh
# Checks that the outputs which a page shows are those of the programs:
#     shown_output.sh REPOSITORY PROGRAM_DIRECTORY PAGE...
#
# A block between ``` lines that begins with `$ build/bin/PROGRAM ARGUMENTS` or `$ cat FILE` is run. What it prints must
# be the rest of the block. All blocks run in one directory, which is empty at first. In the block a line `…` stands for any lines, and `…` within a line for any
# text. A program that is not in PROGRAM_DIRECTORY is an error. Pictures have their source beside them: a block may be
# followed by `<!-- picture: FILE.dot is docs/NAME.dot -->`, which compares FILE.dot with the committed source
# except for numbers of lines.
root=$1
programs=$2
shift 2
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/here/build" && ln -s "$programs" "$scratch/here/build/bin" && ln -s "$root/corpora" "$scratch/here/corpora" ||
    exit 2
status=0
blocks=0
for page in "$@"; do
    rm -f "$scratch"/*.want "$scratch"/*.command "$scratch"/*.picture
    LC_ALL=C awk -v to="$scratch/" '
        /^```/ { if (is_inside) { is_inside = 0; close(want) } else is_first = 1; next }
        is_first {
            is_first = 0
            if ($0 !~ /^\$ (build\/bin\/|cat )/) next
            is_inside = 1
            number++
            want = to number ".want"
            printf "" > want
            print substr($0, 3) > (to number ".command")
            close(to number ".command")
            next
        }
        is_inside { print > want }
        /^<!-- picture: / { print $3, $5 > (to number ".picture"); close(to number ".picture") }' "$root/$page"
    for command in "$scratch"/*.command; do
        [ -e "$command" ] || continue
        blocks=$((blocks + 1))
        name=${command%.command}
        (cd "$scratch/here" && sh "$command") >"$name.got" 2>&1
        LC_ALL=C awk '
            function fits(line, pattern,    n, parts, i, at) {
                n = split(pattern, parts, "…")
                if (n == 1) return line == pattern
                if (substr(line, 1, length(parts[1])) != parts[1]) return 0
                line = substr(line, length(parts[1]) + 1)
                for (i = 2; i < n; i++) {
                    at = index(line, parts[i])
                    if (parts[i] != "" && !at) return 0
                    if (at) line = substr(line, at + length(parts[i]))
                }
                return length(line) >= length(parts[n]) && substr(line, length(line) - length(parts[n]) + 1) == parts[n]
            }
            function matches(w, g) {
                if (w > furthest) furthest = w
                if (w > wanted) return g > given
                if (want[w] ~ /^ *…$/) return matches(w + 1, g) || (g <= given && matches(w, g + 1))
                return g <= given && fits(got[g], want[w]) && matches(w + 1, g + 1)
            }
            FILENAME == ARGV[1] { want[++wanted] = $0; next }
            { got[++given] = $0 }
            END {
                while (given && got[given] == "") given--
                while (wanted && want[wanted] == "") wanted--
                if (matches(1, 1)) exit 0
                print "this line of the page or its end is not printed there: " want[furthest]
                exit 1
            }' "$name.want" "$name.got" || {
            echo "$page: not the output of: $(cat "$command")"
            echo "---- printed:"
            cat "$name.got"
            status=1
        }
        [ -e "$name.picture" ] || continue
        read -r made source <"$name.picture"
        for each in "$scratch/here/$made" "$root/$source"; do
            sed 's/\(\.[ch]pp:\)[0-9]*/\1/g' "$each" >"$scratch/$(basename "$each").unnumbered" || status=1
        done
        cmp "$scratch/$(basename "$made").unnumbered" "$scratch/$(basename "$source").unnumbered" || status=1
    done
done
[ "$blocks" != 0 ] || { echo "no output is shown in: $*"; exit 2; }
exit $status
