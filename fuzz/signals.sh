#!/bin/sh
# signals.sh TARGET ARGUMENT...: SIGTERM ends a fuzz target as Ctrl-C does, with its last line; SIGKILL loses no finding
# that was made. The target must find something, and goes on then.
set -u
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && mkdir "$work/corpus" || exit 2
target=$1
shift
run() { exec "$target" "$@" --keep-going --json -max_len=256 -use_counters=0 -artifact_prefix="$work/" "$work/corpus"; }
fail() { echo "signals.sh: $*"; cat "$work/log"; exit 1; }
# Waits until the target has saved a finding. ctest ends a wait that never ends.
wait_for_finding() {
    until ls "$work"/*.finding.json >/dev/null 2>&1; do
        kill -0 "$1" 2>/dev/null || fail "the target ended before it found anything"
        sleep 0.1
    done
}

run "$@" >"$work/log" 2>&1 &
wait_for_finding $!
kill -TERM $!
wait $!
status=$?
[ $status = 77 ] || fail "after SIGTERM the status is $status, expected 77: there was a finding"
grep -q '^wedge: interrupted$' "$work/log" || fail "after SIGTERM there is no line that says so"
grep -q '^wedge: [0-9]* inputs*, .* findings*$' "$work/log" || fail "after SIGTERM there is no summary"

grep -q '^{"schema":1,"command":"fuzz","workload":".*","outcome":"finding","findings":\[\],"lock_pairs":{"seen":[1-9]' \
    "$work/log" || fail "after SIGTERM there is no line of JSON with the lock pairs"

rm -f "$work"/*.finding.json
run "$@" >"$work/log" 2>&1 &
wait_for_finding $!
kill -KILL $!
wait $! 2>/dev/null
for record in "$work"/*.finding.json; do
    tail -c 3 "$record" | grep -q ']}$' || fail "$record is cut"
    for file in $(grep -o '"\(input\|schedule\)":"[^"]*"' "$record" | sed 's/.*:"//;s/"$//'); do
        [ -s "$file" ] || fail "$record names $file, which is missing or empty"
    done
done
ls "$work"/*.tmp-* >/dev/null 2>&1 && echo "note: a draft is left, as a kill may leave it"
exit 0
