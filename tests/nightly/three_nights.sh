#!/bin/sh
# three_nights.sh WEDGE ROOT: runs the commands of docs/nightly.md, section "Three nights", and checks what they say.
set -u
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && mkdir "$work/bin" && ln -s "$1" "$work/bin/wedge" || exit 2
PATH=$work/bin:$PATH
cd "$work" || exit 2
awk -v to="$work/part" '
    /^## / { is_part = /^## Three nights/ }
    is_part && /^```sh$/ { ++number; is_inside = 1; next }
    /^```$/ { is_inside = 0 }
    is_inside { print > (to number ".sh") }' "$2/docs/nightly.md"
fail() { echo "three_nights.sh: $*"; cat "$work"/*.out; exit 1; }
[ -f part3.sh ] || fail "docs/nightly.md has not three blocks of commands"
for part in 1 2 3; do sh ./part$part.sh >part$part.out 2>part$part.err || fail "block $part: $(cat part$part.err)"; done
grep -q '^night 1: .* 0 new, ' part1.out || fail "the first night finds something"
grep -q '^night 2: .* 1 new, ' part2.out || fail "the second night does not find the bug once"
grep -q '^status 1$' part2.out || fail "the status of the second night is not 1"
grep -q 'designs/move.wedge: cycle source/EE target/EE$' part2.out || fail "the second night does not name the bug"
grep -q '^  1 of 1 lock pair reached$' part1.out || fail "the first night does not count its lock pair"
grep -q '^  2 of 2 lock pairs reached$' part2.out || fail "the second night does not count the pair of the bug"
grep -q '"missed":\[\],"possible":1,"seen":1' report.html || fail "the page still counts a pair that the text has lost"
grep -q '^night 3: .* 0 new, .* 1 fixed' part3.out || fail "the third night does not see that it is fixed"
grep -q 'P(fixed) = 0.75$' part3.out || fail "the third night has no confidence of 0.75"
grep -q '"state":"fixed"' report.html || fail "the page does not say fixed"
grep -Eo '(src|href)="?(https?:)?//[^" ]*' report.html && fail "the page needs the network"

# kill -9 in the middle of a night: what it has found stays.
sed -i '/thread undo/,/^}/{s/ lock source/ lock x/;s/ lock target/ lock source/;s/ lock x/ lock target/}' designs/move.wedge
wedge nightly designs --seconds 30 --out nights >part4.out 2>&1 &
until wedge nightly list --out nights --json 2>/dev/null | grep -q '"state":"reopened"' || ! kill -0 $! 2>/dev/null; do
    sleep 0.05
done
kill -KILL $! 2>/dev/null
wait $! 2>/dev/null
wedge nightly list --out nights --json >part5.out || fail "the database cannot be read after a kill"
grep -q '"state":"reopened"' part5.out || wedge nightly designs --seconds 30 --out nights >part6.out 2>&1
wedge nightly list --out nights --json | grep -Eq '"state":"(reopened|known)"' || fail "a kill has lost the finding"

# Two shards see what one process sees, and which results are as stated.
printf 'lock a mutex\nthread t {\n    lock a\n    unlock a\n}\nexpect sound\n' >designs/good.wedge
wedge nightly designs --seconds 20 --shards 2 --out sharded >part7.out 2>&1
[ $? = 1 ] || fail "two shards do not find the bug"
grep -q '^night 1: .* 1 new, ' part7.out || fail "two shards do not find the bug once"
grep -q '^  1 result as stated$' part7.out || fail "two shards do not count what is as stated"
exit 0
