#!/bin/sh
# Checks that the picture of the layers is the one of layers.txt: picture.sh REPOSITORY
cd "$1" || exit 2
made=$(sh docs/layers.sh <tests/structure/layers.txt) || exit 2
[ "$made" = "$(cat docs/layers.dot)" ] || { echo "docs/layers.dot: not made from layers.txt; run ./dev docs"; exit 1; }
grep -q "^<!-- layers.dot $(cksum <docs/layers.dot) -->$" docs/layers.svg ||
    { echo "docs/layers.svg: not made from layers.dot; run ./dev docs"; exit 1; }
