#!/bin/sh
# Whether replays of one corpus in five orders, at five places in memory, count the same: same_features.sh TARGET [OPTION...]
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/corpus"
"$@" -runs=1000 -seed=1 -max_len=128 "$scratch/corpus" >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
for seed in 1 2 3 4 5; do
    "$@" -runs=0 -seed=$seed -max_len=128 "$scratch/corpus" 2>&1 | sed -n 's/.*INITED cov: \([0-9]*\) ft: \([0-9]*\) .*/\1 branches, \2 features/p'
done | sort | uniq -c | tee "$scratch/totals"
[ "$(awk '{print $1}' "$scratch/totals")" = 5 ]
