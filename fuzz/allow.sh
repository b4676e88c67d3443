#!/bin/sh
# allow.sh TARGET ARGUMENT...: findings of an allow list end no fuzz target and do not count; entries that have expired
# or match nothing are reported. The target must find something in the first runs.
set -u
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT || exit 2
target=$1
shift
fail() { echo "allow.sh: $*"; cat "$work/log"; exit 1; }
run() { "$target" "$@" -runs=300 -max_len=256 -use_counters=0 -artifact_prefix="$work/" >"$work/log" 2>&1; }
# entries DAY: one for each finding of the first run
entries() {
    while read -r signature; do
        printf 'signature: %s\nreason: a test\nowner: allow.sh\nexpires: %s\n\n' "$signature" "$1"
    done <"$work/signatures"
}

run "$@" --keep-going
[ $? = 77 ] || fail "the target finds nothing"
sed -n 's/^DEDUP_TOKEN: //p' "$work/log" | sort -u >"$work/signatures"
[ -s "$work/signatures" ] || fail "there is no DEDUP_TOKEN"

{ entries 2999-12-31; printf 'signature: cycle x/EE y/EE\nreason: r\nowner: o\nexpires: 2999-12-31\n'; } >"$work/known.txt"
run "$@" --allow="$work/known.txt" || fail "a known finding ends the target"
grep -q "^wedge: allowed: $(head -1 "$work/signatures" | sed 's/[][\.*^$/]/\\&/g')\$" "$work/log" || fail "what is allowed is not named"
grep -q '^wedge: .*matched no finding, remove it (o): cycle x/EE y/EE$' "$work/log" || fail "an entry without a match is not named"

entries 2020-01-01 >"$work/known.txt"
run "$@" --allow="$work/known.txt" --keep-going
[ $? = 77 ] || fail "an expired entry allows its finding"
grep -q '^wedge: .*expired on 2020-01-01 (allow.sh)' "$work/log" || fail "an expired entry is not named"

entries 2999-12-31 >"$work/known.txt"
run "$@" --known="$work/known.txt" --keep-going
sed -n 's/^DEDUP_TOKEN: //p' "$work/log" | grep -qxFf "$work/signatures" && fail "a finding of --known is reported"
echo 'signature: s' >"$work/known.txt"
run "$@" --allow="$work/known.txt"
[ $? = 2 ] || fail "a list that is wrong is not refused"
