#!/bin/sh
# Checks that the files which the documents name exist: paths.sh REPOSITORY
#
# A path stands in backticks (`order/checker.hpp`, `tests/main.cpp`) or is the target of a link. Headers may be named
# from include/wedge/ on. Names with `…`, `*` or capital letters for a part that varies (fuzz/NAME.cpp) are left out.
cd "$1" || exit 2
for page in README.md CONTRIBUTING.md docs/*.md corpora/*/README.md; do
    [ -r "$page" ] || continue
    grep -n -o -E '`[A-Za-z0-9_./{},-]+\.(hpp|cpp|sh|txt|cmake|md|wedge)`' "$page" | tr -d '`' | sort -u |
        while IFS=: read -r line path; do
            case $path in */*) ;; *) continue ;; esac
            case $path in *[A-Z]*[A-Z]*.cpp | *NAME* | *TARGET* | *[{}]* | build/* | [.]* ) continue ;; esac
            [ -e "$path" ] || [ -e "include/wedge/$path" ] || [ -e "include/$path" ] || [ -e "$(dirname "$page")/$path" ] ||
                echo "$page:$line: there is no file $path"
        done
    grep -n -o -E '\]\([A-Za-z0-9_./-]+(#[a-z0-9-]+)?\)' "$page" | sed -E 's/\]\(([^)#]*).*/\1/' | sort -u |
        while IFS=: read -r line path; do
            [ -e "$(dirname "$page")/$path" ] || echo "$page:$line: there is no file $path"
        done
done | LC_ALL=C sort -t: -k1,1 -k2,2n | {
    status=0
    while IFS= read -r violation; do
        echo "$violation"
        status=1
    done
    exit $status
}
