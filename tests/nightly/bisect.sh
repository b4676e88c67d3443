#!/bin/sh
# bisect.sh WEDGE: `wedge nightly bisect` names the commit that brought a finding, and passes over one that does not build.
set -u
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work" && mkdir designs || exit 2
wedge=$1
GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
export GIT_CONFIG_GLOBAL GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL
fail() { echo "bisect.sh: $*"; cat ./*.out; exit 1; }
design() {
    printf 'lock a mutex\nlock b mutex\nthread one {\n    lock a\n    lock b\n    unlock b\n    unlock a\n}\n'
    printf 'thread two {\n    lock %s\n    lock %s\n    unlock %s\n    unlock %s\n}\nexpect sound\n' "$1" "$2" "$2" "$1"
}
git init -q . && printf '/nights/\n/*.out\n' >.gitignore || fail "no git"
commit() { git add -A && git commit -qm "$1" || fail "cannot commit"; }
design a b >designs/d.wedge && commit sound
"$wedge" nightly designs --seconds 30 --out nights >1.out 2>&1 || fail "the first night finds something"
echo 1 >x && commit first
touch broken && commit unbuildable
rm broken && design b a >designs/d.wedge && commit bug
wanted=$(git rev-parse HEAD)
echo 2 >x && commit last
"$wedge" nightly designs --seconds 30 --out nights >2.out 2>&1 && fail "the second night finds nothing"
"$wedge" nightly bisect 'cycle a/EE b/EE' --out nights -- test ! -f broken >3.out 2>&1 || fail "bisect fails"
grep -q "$wanted" 3.out || fail "bisect does not name $wanted"
"$wedge" nightly bisect 'cycle a/EE b/EE' --out nights -- '! test -f broken' >5.out 2>&1 || fail "bisect fails with a line for sh"
grep -q "$wanted" 5.out || fail "bisect does not name $wanted after a line for sh"
"$wedge" nightly bisect 'cycle a/EE b/EE' --out nights >6.out 2>&1
[ $? = 2 ] && grep -q 'BUILD COMMAND' 6.out || fail "bisect without a command is no misuse"
"$wedge" nightly bisect 'cycle a/EE b/EE' --out nights -- false >7.out 2>&1
[ $? = 2 ] && grep -q 'bisect: HEAD does not build by .false.; .*/nights/bisect/build-.*\.log has the output' 7.out ||
    fail "bisect does not say that HEAD does not build"
"$wedge" nightly bisect 'cycle a/EE b/EE' --out nights --until HEAD~2 -- true >8.out 2>&1
[ $? = 2 ] && grep -q 'HEAD~2 does not show the finding; name by --until' 8.out || fail "bisect blames a commit without the finding"
[ -z "$(git worktree list --porcelain | sed -n '/^worktree/p' | sed 1d)" ] || fail "a checkout is left"
"$wedge" nightly list --since HEAD~2 --out nights >4.out 2>&1 && grep -q 'cycle a/EE b/EE' 4.out || fail "list --since misses it"
