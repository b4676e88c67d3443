#!/bin/sh
# Runs each planted program and its repaired twin under `wedge run`: planted.sh WEDGE PLANTED PLANTED_STD PLUGIN
wedge=$1 planted=$2 planted_std=$3 plugin=$4
report=$(mktemp) || exit 1
trap 'rm -f "$report"' EXIT
failures=0

# expect STATUS PATTERN program...: a pattern of - is none.
expect() {
    status=$1 pattern=$2
    shift 2
    timeout 60 "$wedge" run --out "$report" -- "$@"
    got=$?
    if [ "$got" -ne "$status" ] || { [ "$pattern" != - ] && ! grep -Eq -- "$pattern" "$report"; }; then
        echo "FAILED: $*: status $got, expected $status and '$pattern'; the report:"
        cat "$report"
        failures=$((failures + 1))
    fi
}

while read -r name pattern; do
    expect 1 "$pattern" "$planted" "$name" broken "$plugin"
    expect 0 '^no findings' "$planted" "$name" repaired "$plugin"
done <<END
abba holding .*planted\.c:[0-9]+ by thread 2 \(backward\)
heap possible deadlock: lock@.*planted\.c
ring possible deadlock: .*third.*
try possible deadlock: .*journal
timed possible deadlock: .*journal
rwlock possible deadlock: .*table
readers possible deadlock: .*index_lock
wait possible deadlock: .*accounts
recursion recursive: .*taken again while held
exit held-at-exit: .*third
foreign unlock-imbalance: third
spin possible deadlock: .*journal
once possible deadlock: .*journal
c11 possible deadlock: .*c11_first
fork possible deadlock: .*accounts
dlopen possible deadlock: .*near
fork_dlopen possible deadlock: .*journal
signal possible deadlock: .*journal
cancel possible deadlock: .*accounts
reuse possible deadlock
blocks possible deadlock
END

while read -r name; do
    expect 1 'possible deadlock' "$planted_std" "$name" broken
    expect 0 '^no findings' "$planted_std" "$name" repaired
done <<END
heap
shared
recursive
scoped
last_word
thread_end
futures
END
expect 1 'by thread [0-9]+ \((std::thread|execute_native_thread_routine)\)' "$planted_std" heap broken
expect 0 'of 6[0-9] locks in [1-9] classes' "$planted_std" futures repaired

# The child of a fork counts the locks of its parent with their classes.
expect 0 '4 locks in 4 classes' "$planted" fork repaired
# One thread cannot deadlock with itself: a remark, unless it is asked for.
expect 0 '^no findings, 1 remark' "$planted" alone broken
# A trace of threads that run side by side has the deadlock, and one of threads in turn has not.
trace=$(mktemp) || exit 1
trap 'rm -f "$report" "$trace"' EXIT
# predict STATUS PATTERN program...
predict() {
    status=$1 pattern=$2
    shift 2
    timeout 60 "$wedge" run --record "$trace" --out /dev/null -- "$@"
    "$wedge" predict "$trace" >"$report"
    got=$?
    if [ "$got" -ne "$status" ] || ! grep -Eq -- "$pattern" "$report"; then
        echo "FAILED: predict $*: status $got, expected $status and '$pattern'; the output:"
        cat "$report"
        failures=$((failures + 1))
    fi
}
predict 1 'wants +accounts at line [0-9]+, pair .*planted\.c' "$planted" beside broken
predict 0 '^no deadlocks predicted; [0-9]+ events' "$planted" beside repaired
predict 0 '^no deadlocks predicted; [0-9]+ events' "$planted" abba broken
predict 0 '^no deadlocks predicted; [0-9]+ events' "$planted" wait repaired

# check STATUS PATTERN program...: the order of what was recorded.
check() {
    status=$1 pattern=$2
    shift 2
    timeout 60 "$wedge" run --record "$trace" --out /dev/null -- "$@"
    "$wedge" check --trace "$trace" >"$report"
    got=$?
    if [ "$got" -ne "$status" ] || ! grep -Eq -- "$pattern" "$report"; then
        echo "FAILED: check --trace $*: status $got, expected $status and '$pattern'; the output:"
        cat "$report"
        failures=$((failures + 1))
    fi
}
for name in abba heap ring wait recursion exit foreign once; do
    check 1 '^[1-9][0-9]* findings?, ' "$planted" "$name" broken
    check 0 '^no findings, ' "$planted" "$name" repaired
done
check 0 '^no findings, 1 remark ' "$planted" alone broken

# A known finding does not count, until its entry expires. The signature has neither numbers of threads nor addresses.
allow() {
    expected=$1 day=$2
    shift 2
    timeout 60 "$wedge" run --out "$report" -- "$@"
    printf 'signature: %s\nreason: r\nowner: o\nexpires: %s\n' "$(sed -n 's/^  signature  //p' "$report")" "$day" >"$trace"
    timeout 60 "$wedge" run --allow "$trace" --out "$report" -- "$@"
    [ $? -eq "$expected" ] || { echo "FAILED: allow $*"; cat "$trace" "$report"; failures=$((failures + 1)); }
}
allow 0 2999-12-31 "$planted" abba broken
allow 0 2999-12-31 "$planted" recursion broken
allow 1 2020-01-01 "$planted" abba broken
grep -q '^signature: cycle accounts/EE journal/EE$' "$trace" || { echo "FAILED: signature"; failures=$((failures + 1)); }

# Delays change no result.
timeout 60 "$wedge" run --stress --seed 7 --out "$report" -- "$planted" beside broken
[ $? -eq 1 ] || { echo "FAILED: stress"; failures=$((failures + 1)); }

# The program's own status, a signal, and what cannot be run.
expect 7 '^no findings' sh -c 'exit 7'
expect 143 '^no findings' sh -c 'kill $$'
expect 2 - ./no-such-program
[ "$failures" -eq 0 ]
