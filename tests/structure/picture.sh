#!/bin/sh
# Checks that the pictures of docs/ are drawn from the sources beside them, and that of the layers from layers.txt:
#     picture.sh REPOSITORY
cd "$1" || exit 2
status=0
made=$(sh docs/layers.sh <tests/structure/layers.txt) || exit 2
[ "$made" = "$(cat docs/layers.dot)" ] || { echo "docs/layers.dot: not made from layers.txt; run ./dev docs"; status=1; }
for source in docs/*.dot; do
    grep -q "^<!-- ${source#docs/} $(cksum <"$source") -->$" "${source%.dot}.svg" ||
        { echo "${source%.dot}.svg: not drawn from $source; run ./dev docs"; status=1; }
done
exit $status
