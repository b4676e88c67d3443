#!/bin/sh
# Records the reports of ../data again: tests/explain/samples/record.sh BUILD_FOLDER
# It needs build/bin/wedge (./dev build), clang, valgrind, gdb, abseil, a JDK, Go and go-deadlock (Debian: golang-github-sasha-s-go-deadlock-dev).
set -eu
source=$(cd "$(dirname "$0")" && pwd)
data=$source/../data
mkdir -p "$1" "$data"
cd "$1"
cp "$source"/*.cpp "$source"/*.java "$source"/*.go .
flags="-std=c++20 -g -pthread"
clang++ $flags -O1 -fsanitize=thread order.cpp -o order_tsan
g++ $flags -O1 -fsanitize=thread order.cpp -o order_gcc_tsan
g++ $flags order.cpp -o order
g++ $flags hang.cpp -o hang
g++ $flags abseil.cpp -o abseil $(pkg-config --libs absl_synchronization absl_symbolize)
javac -d . Hang.java
GO111MODULE=off GOPATH=/usr/share/gocode go build -o order_go order.go
g++ $flags -I"$source/../../../include" wedge.cpp -o wedge_sample

# wedge itself: the order checker in a program, and the verdicts of scenarios.
for how in abba three shared repaired; do ./wedge_sample $how >"$data/wedge_live_$how.txt" 2>&1; done
(
    cd "$source/../../.."
    for how in abba three_ring philosophers self_deadlock gate_lock join_under_lock readers_with_writers \
        irq_unsafe_lock irq_inversion lost_wakeup nest_not_held ordered_falling unlock_imbalance abba_ordered \
        reclaim_under_lock might_lock timed_breaks_cycle; do
        build/bin/wedge check corpora/scenarios/$how.wedge >"$data/wedge_check_$how.txt" 2>&1 || true
        build/bin/wedge check --json corpora/scenarios/$how.wedge >"$data/wedge_json_$how.txt" 2>&1 || true
    done
    for how in transfer transfer_in_order; do
        build/bin/01_first_deadlock explore $how >"$data/wedge_explore_$how.txt" 2>&1 || true
        build/bin/01_first_deadlock explore --json $how >"$data/wedge_explore_json_$how.txt" 2>&1 || true
        rm -f $how-*.schedule
    done
)

export TSAN_OPTIONS=second_deadlock_stack=1
for how in abba three shared double repaired; do
    ./order_tsan $how >"$data/tsan_$how.txt" 2>&1 || true
    valgrind --tool=helgrind ./order $how >"$data/helgrind_$how.txt" 2>&1
done
TSAN_OPTIONS= ./order_gcc_tsan three >"$data/tsan_gcc.txt" 2>&1 || true
valgrind --tool=drd ./order double >"$data/drd_double.txt" 2>&1
for how in abba three double repaired; do
    timeout 2 ./abseil $how >"$data/abseil_$how.txt" 2>&1 || true  # `double` hangs once it is reported
done
for how in abba double hang read repaired; do timeout 10 ./order_go $how >"$data/go_$how.txt" 2>&1 || true; done

# A debugger needs the programs to have come to their end, so each gets a moment.
for how in repaired abba three std self shared condition join; do
    ./hang $how &
    sleep 0.5
    gdb -p $! -batch -ex 'thread apply all bt' >"$data/gdb_$how.txt" 2>&1
    gdb -p $! -batch -ex 'set trace-commands on' -ex 'thread apply all bt' -ex 'print accounts' -ex 'print journal' \
        -ex 'print pages' -ex 'print table' -ex 'print one' -ex 'print two' >"$data/gdb_${how}_owners.txt" 2>&1
    kill -9 $!
done
for how in monitor lock three wait repaired; do
    java -cp . Hang $how &
    sleep 2
    jstack -l $! >"$data/java_$how.txt"
    if [ $how = monitor ]; then jstack $! | sed '/^Found/,$d' >"$data/java_no_summary.txt"; fi
    kill -9 $!
done
