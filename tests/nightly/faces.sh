#!/bin/sh
# faces.sh WEDGE ROOT: what the commands say and print when something is missing, broken, or given to `wedge report`.
set -u
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work" && mkdir designs bare || exit 2
wedge=$1 status=0
# expect STATUS WORDS COMMAND...: the status, and words of what is printed
expect() {
    wanted=$1 words=$2
    shift 2
    "$@" >out.txt 2>&1 </dev/null
    got=$?
    [ $got -eq "$wanted" ] && grep -q -e "$words" out.txt && return
    echo "$*: status $got, expected $wanted and \`$words\`:"
    cat out.txt
    status=1
}
printf 'lock a mutex\nthread t {\n    lock a\n    unlock a\n}\nexpect sound\n' >designs/good.wedge
printf 'lock a mutex\nthread t {\n    lokc a\n}\n' >designs/bad.wedge
for command in check hunt explore; do
    expect 2 '"command":"'$command'","file":"designs/bad.wedge","outcome":"error".*"error":"designs/bad.wedge:3:5: ' \
        "$wedge" $command --json designs/bad.wedge
done
expect 2 '"command":"explain","file":"nowhere","outcome":"error"' "$wedge" explain --json nowhere
"$wedge" check --json designs >check.json 2>/dev/null
expect 0 'check.xml: no findings, 2 results; 1 could not be read' "$wedge" report check.json -o check.xml
expect 0 '<error message="designs/bad.wedge:3:5: ' cat check.xml
expect 2 'cannot be read: .*designs/bad.wedge:3:5: ' "$wedge" nightly designs --seconds 20 --out nights
expect 2 '1 result as stated' "$wedge" nightly designs --seconds 20 --out nights
expect 0 'nights/findings.sqlite: no finding' "$wedge" nightly list --out nights
expect 0 'no findings, 2 results' "$wedge" report nights -o nights.xml
"$wedge" explain --json "$2/corpora/explain_text/kswapd_one_line" >explained.json
expect 0 'page.html: 1 finding, 1 result' "$wedge" report explained.json -o page.html
expect 2 'notes: it has no JSON of a command of wedge' sh -c "echo noise >notes; '$wedge' report notes"

# A finding, then bisections that cannot work.
printf 'lock a mutex\nthread t {\n    lock a\n    lock a\n    unlock a\n    unlock a\n}\nexpect sound\n' >designs/bad.wedge
expect 1 '1 new' "$wedge" nightly designs --seconds 20 --out nights
expect 1 '^  new .*bad.wedge: recursive a' "$wedge" nightly merge nights --out merged
printf 'signature: recursive a a in t\nreason: it is old\nowner: me\nexpires: 2999-12-31\n' >known.txt
expect 0 'merged 1 shard: 1 finding, 0 new' "$wedge" nightly merge nights --out again --allow known.txt
expect 0 'new, allowed  .*bad.wedge' "$wedge" nightly list --out again
expect 2 'nowhere/findings.sqlite: there is no such file' "$wedge" nightly merge nights nowhere --out none
expect 2 'none/findings.sqlite: there is no such file' "$wedge" nightly list --out none
mkdir -p broken && echo noise >broken/findings.sqlite
expect 2 'broken/findings.sqlite: file is not a database' "$wedge" nightly merge nights broken --out half
expect 0 'half/findings.sqlite: no finding' "$wedge" nightly list --out half
expect 2 '--allow: it is of merge' "$wedge" nightly designs --allow known.txt
expect 0 'seen [0-9]* times*, first ' "$wedge" nightly list --out nights
"$wedge" nightly list --out nights --json >listed.json
expect 0 'page.html: 1 finding' "$wedge" report listed.json -o page.html
name=$("$wedge" nightly list --out nights | sed -n 's/^ *new *\([0-9a-f]*\) .*/\1/p')
GIT_CEILING_DIRECTORIES=$work/.. && export GIT_CEILING_DIRECTORIES
expect 2 'bisect: .* is in no git repository' "$wedge" nightly bisect "$name" --since x --out nights -- true
expect 2 '--since: .* is in no git repository' "$wedge" nightly list --since x --out nights
expect 2 'bisect needs git: git: cannot be started: ' env PATH="$work/bare" "$wedge" nightly bisect "$name" --since x --out nights -- true
exit $status
