#!/bin/sh
# Checks the options and statuses of `wedge explain` for traces: traces.sh WEDGE
wedge=$1
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 2
cat >old.txt <<'END'
all lock classes:
00000000aaaaaaa1 OPS:     824 FD:    3 BD:    1 +.+.: &mm->mmap_lock
 -> [00000000aaaaaaa2] reservation_ww_class_mutex

00000000aaaaaaa2 OPS:      12 FD:    2 BD:    2 +.+.: reservation_ww_class_mutex
 -> [00000000aaaaaaa3] fs_reclaim

00000000aaaaaaa3 OPS:      12 FD:    1 BD:    3 +.+.: fs_reclaim
END
{ cat old.txt; echo ' -> [00000000aaaaaaa2] reservation_ww_class_mutex'; } >new.txt
status=0
# check STATUS WORDS ARGUMENTS...: the status, and words of what is printed
check() {
    expected=$1 words=$2
    shift 2
    "$wedge" explain "$@" >out.txt 2>&1 <old.txt
    got=$?
    if [ $got -ne "$expected" ] || ! grep -q -e "$words" out.txt; then
        echo "wedge explain $*: status $got, expected $expected and \`$words\`:"
        cat out.txt
        status=1
    fi
}
check 0 '3 lock classes, 2 dependencies' old.txt
check 0 'no cycle' -
check 1 'cycle: reservation_ww_class_mutex -> fs_reclaim -> reservation_ww_class_mutex' new.txt
check 0 'holds: no path leads against it' old.txt --order 'mmap_lock -> fs_reclaim'
check 1 'fs_reclaim should come before mmap_lock' old.txt --order 'fs_reclaim -> mmap_lock'
check 2 'no class is named `mmap_loc`' old.txt --order 'mmap_loc -> fs_reclaim'
check 0 'around fs_reclaim: 2 classes' old.txt --around fs_reclaim
check 1 'added dependencies: 1' --compare old.txt new.txt
check 0 'removed dependencies: 1' --compare new.txt old.txt
check 2 'expected two files' --compare old.txt
check 2 'No such file' old.txt missing.txt --order 'mmap_lock -> fs_reclaim'
check 1 '"cycle_locks":\["reservation_ww_class_mutex","fs_reclaim"\]' --json new.txt
check 1 '"added_dependencies":\[\["fs_reclaim","reservation_ww_class_mutex"\]\]' --json --compare old.txt new.txt
check 1 '"new_cycles":\[{"cycle_locks":\["reservation_ww_class_mutex","fs_reclaim"\]' --json --compare old.txt new.txt
check 0 '"removed_dependencies":\[\["fs_reclaim","reservation_ww_class_mutex"\]\]' --json --compare new.txt old.txt
check 2 'no class is named' --json --compare old.txt new.txt --around mmap_loc
check 0 '"around":{"class":"fs_reclaim","depth":1,"classes":\["reservation_ww_class_mutex","fs_reclaim"\]' old.txt --json --around fs_reclaim
check 1 'around fs_reclaim: 2 classes' --compare old.txt new.txt --around fs_reclaim
check 1 'cycle' new.txt --picture new.dot
grep -q 'color=red' new.dot || { echo "new.dot: the cycle is not red"; status=1; }
exit $status
