#!/bin/sh
# Judges the recorded reports: the verdicts are right, each scenario passes `wedge check`, each schedule replays:
# verdicts.sh WEDGE DATA_FOLDER
wedge=$1 data=$2
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 2
failures=0
fail() {
    echo "$1"
    failures=$((failures + 1))
}
# gt_03: only readers were seen; gt_06, gt_09: the report cannot tell.
while read -r name verdict; do
    "$wedge" explain --json -o "$name.wedge" "$data/$name.txt" > "$name.json"
    grep -q "\"verdict\":\"$verdict\",\"scenario\":\"$name.wedge\"" "$name.json" ||
        fail "$name: not $verdict: $(cat "$name.json")"
    "$wedge" check "$name.wedge" > "$name.out" 2>&1 || fail "$name: its scenario does not pass: $(head -3 "$name.out")"
    if [ "$verdict" = confirmed ]; then
        "$wedge" replay "$name.schedule" | grep -q '^reproduced' || fail "$name: its schedule does not replay"
    fi
done <<END
gt_01 confirmed
gt_02 confirmed
gt_03 refuted
gt_04 confirmed
gt_06 unresolved
gt_07 confirmed
gt_09 unresolved
gt_12 confirmed
gt_14 observed
gt_15 observed
gt_17 observed
gt_20 confirmed
END
# wedge's own findings keep their verdicts; an order within a class says one order only.
while read -r name verdict; do
    "$wedge" explain --json "$data/../wedge_$name.txt" > "$name.json"
    grep -q "\"verdict\":\"$verdict\"" "$name.json" || fail "$name: not $verdict: $(cat "$name.json")"
done <<END
live_abba confirmed
live_three confirmed
explore_transfer confirmed
explore_json_transfer confirmed
check_gate_lock refuted
json_gate_lock refuted
check_readers_with_writers confirmed
check_irq_unsafe_lock confirmed
check_self_deadlock confirmed
check_ordered_falling unresolved
check_lost_wakeup observed
check_reclaim_under_lock confirmed
check_might_lock refuted
check_timed_breaks_cycle refuted
END
"$wedge" explain "$data/gt_03.txt" | grep -q 'if a writer comes between: deadlock' || fail "gt_03: no word of the writer"
[ "$failures" -eq 0 ]
