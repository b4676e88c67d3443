#!/bin/sh
# What wedge costs to compile, beside what it is compared with: compile_cost.sh [CXX [REPEATS]]
#
# Prints the processor seconds (user and system, the least of REPEATS runs) and the peak memory of one compiler run at -O0
# for each source, and the ratio of its seconds to those of `#include <mutex>` in this run. Peers that are not installed
# are left out (Debian: doctest-dev, catch2). Needs GNU time.
cxx=${1:-g++} repeats=${2:-3}
cd "$(dirname "$0")/.." || exit 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
[ -x /usr/bin/time ] || { echo "compile_cost: needs /usr/bin/time (Debian: time)" >&2; exit 2; }

# row NAME SOURCE
row() {
    seconds='' least='' memory=''
    for run in $(seq "$repeats"); do
        if ! /usr/bin/time -f '%U %S %M' -o "$work/time" \
            "$cxx" -std=c++20 -O0 -Iinclude -DWEDGE_FIBERS=1 -c "$2" -o "$work/out.o" 2>"$work/said"; then
            cat "$work/said" >&2; echo "compile_cost: $1 does not compile" >&2; exit 1
        fi
        seconds=$(awk '{ print $1 + $2 }' "$work/time")
        least=$(printf '%s\n' $least "$seconds" | sort -n | head -n 1)
        memory=$(awk '{ printf "%d", $3 / 1024 }' "$work/time")
    done
    [ -n "$base" ] || base=$least
    awk -v name="$1" -v s="$least" -v b="$base" -v m="$memory" \
        'BEGIN { printf "| %s | %.2f | %.1f | %d |\n", name, s, s / b, m }'
}
# header NAME LINE...: a source of these lines
header() {
    name=$1; shift
    printf '%s\n' "$@" >"$work/source.cpp"
    row "$name" "$work/source.cpp"
}
has() { printf '#include <%s>\n' "$1" | "$cxx" -std=c++20 -E -x c++ - >/dev/null 2>&1; }

base=
echo "| source | CPU s | to \`<mutex>\` | MiB |"
echo "|---|---|---|---|"
header '`<mutex>`' '#include <mutex>'
header '`wedge/lock/mutex.hpp`' '#include <wedge/lock/mutex.hpp>'
header 'the headers of std that `wedge/wedge.hpp` stands for' \
    '#include <mutex>' '#include <shared_mutex>' '#include <condition_variable>' '#include <semaphore>' \
    '#include <barrier>' '#include <thread>' '#include <atomic>' '#include <chrono>'
header '`wedge/wedge.hpp`' '#include <wedge/wedge.hpp>'
row '`examples/01_first_deadlock.cpp`' examples/01_first_deadlock.cpp
row '`fuzz/planted.cpp`, a fuzz target' fuzz/planted.cpp
row '`stress/hierarchy.cpp`, all designs' stress/hierarchy.cpp
row 'the source that implements `wedge::main`, once per program' cmake/implement_main.cpp
row 'the source that implements `wedge::explore`, once per program' cmake/implement_explore.cpp
row 'the source that implements `wedge::wedge`, once per program' cmake/implement_order.cpp
if has doctest/doctest.h; then
    header 'doctest, a test' '#include <doctest/doctest.h>' 'TEST_CASE("a") { CHECK(1 == 1); }'
    header 'doctest, its implementation' '#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN' '#include <doctest/doctest.h>'
fi
if has catch2/catch.hpp; then
    header 'Catch2, a test' '#include <catch2/catch.hpp>' 'TEST_CASE("a") { CHECK(1 == 1); }'
    header 'Catch2, its implementation' '#define CATCH_CONFIG_MAIN' '#include <catch2/catch.hpp>'
fi
