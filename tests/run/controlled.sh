#!/bin/sh
# Runs programs under `wedge run --control`: controlled.sh WEDGE CONTROLLED PLANTED PLANTED_STD PLUGIN
wedge=$1 controlled=$2 planted=$3 planted_std=$4 plugin=$5
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0

# expect STATUS PATTERN option... -- program...: the report has a line with the pattern.
expect() {
    status=$1 pattern=$2
    shift 2
    timeout 120 "$wedge" run --control --out report "$@" 2>errors
    got=$?
    if [ "$got" -ne "$status" ] || ! cat report errors | grep -Eq -- "$pattern"; then
        echo "FAILED: $*: status $got, expected $status and '$pattern'; the report:"
        cat report errors
        failures=$((failures + 1))
    fi
    : >report
}

# A deadlock is met within a few runs, and its schedule repeats it. The repaired program has none.
while read -r name runs pattern; do
    rm -f -- *.trace
    expect 1 "^confirmed deadlock: $pattern" --runs "$runs" -- "$controlled" "$name" broken
    for file in *.trace; do
        expect 1 "^replay: the deadlock of $file is confirmed" --seed 9999 --replay "$file" -- "$controlled" "$name" broken
    done
    expect 0 '^no deadlock in 20 runs' --runs 20 -- "$controlled" "$name" repaired
done <<END
far 5 .*journal.*
abba 80 journal -> accounts -> journal|accounts -> journal -> accounts
ring 80 .*third.*
upgrade 40 table -> table
queue 40 no thread of the process can go on
semaphore 4 no thread of the process can go on
pipe 40 .*journal.*
fork 80 .*journal.*
spin 80 .*journal.*
cancel 80 .*journal.*
others 80 .*journal.*
END

# Waits that end by themselves, or by a handler of a signal, are no deadlock.
for name in timed handler; do
    expect 0 '^no deadlock in 10 runs' --runs 10 -- "$controlled" "$name" broken
done

# `wedge explain` reads the report of a deadlock.
timeout 120 "$wedge" run --control --runs 5 --out report -- "$controlled" far broken
"$wedge" explain report | grep -q '^  verdict  confirmed: ' || { echo "FAILED: explain"; failures=$((failures + 1)); }

# A result that depends on the order of steps ends the runs too.
expect 4 '^the program ended with status 4, and with 0 before, in the run with seed ' --runs 80 -- "$controlled" race broken
expect 0 '^no deadlock in 20 runs' --runs 20 -- "$controlled" race repaired

# Equal seeds give equal runs.
for strategy in random pct pos urw round-robin; do
    for file in first second; do
        expect 0 '^no findings' --strategy "$strategy" --seed 5 --record "$file" -- "$controlled" queue repaired
    done
    cmp first second || failures=$((failures + 1))
done

# A prediction is confirmed by its witness. The program that is repaired leaves it.
timeout 60 "$wedge" run --record recorded --out /dev/null -- "$planted" beside broken
"$wedge" predict --out witness recorded >/dev/null
expect 1 '^replay: the deadlock of witness is confirmed' --replay witness -- "$controlled" abba broken
expect 0 '^replay: the deadlock of witness is unresolved: the run left witness:[0-9]+: ' \
    --replay witness -- "$controlled" abba repaired
# The prediction is wrong for the program from which it comes: a variable that no trace shows keeps the threads apart.
expect 0 '^replay: the deadlock of witness is unresolved: .* retries, and does no ' --replay witness -- "$planted" beside broken

# Whatever else the programs do, they end as they do without control.
for name in abba heap ring try timed rwlock readers wait recursion exit foreign spin once c11 fork dlopen fork_dlopen signal cancel \
    reuse alone beside; do
    for how in broken repaired; do
        expect 0 '^no findings|^[0-9]+ findings? of the order checker' -- "$planted" "$name" "$how" "$plugin"
    done
done
for name in heap shared recursive scoped last_word thread_end; do
    expect 0 '^no findings|^[0-9]+ findings? of the order checker' -- "$planted_std" "$name" broken
done
expect 7 '^no findings' -- sh -c 'exit 7'
expect 1 '^possible deadlock' --check -- "$planted" abba broken

# What cannot be done.
printf 'wedge-trace 1\n0 spawn 1\n1 take 1\n' >bad
expect 2 "^wedge: bad:3:3: unknown step 'take'" --replay bad -- "$controlled" abba broken
expect 2 -- '--stress: not with --control' --stress -- "$controlled" abba broken
timeout 60 "$wedge" run --replay bad -- "$controlled" abba broken 2>errors
[ $? -eq 2 ] && grep -q -- '--replay: needs --control' errors || { echo "FAILED: --replay alone"; failures=$((failures + 1)); }
[ "$failures" -eq 0 ]
