#!/bin/sh
# Whether .clusterfuzzlite/build.sh ships each target with its options, dictionary and seeds. Nothing is compiled or
# packed: build_script.sh ROOT
cd "$1" || exit 2
OUT=$(mktemp -d) || exit 2
trap 'rm -rf "$OUT" "$OUT.tools"' EXIT
mkdir "$OUT.tools" || exit 2
printf '#!/bin/sh\nfor file; do :; done\n: >"$file"\n' >"$OUT.tools/compile"
printf '#!/bin/sh\n[ -f "$3" ] && : >"$2"\n' >"$OUT.tools/zip"
chmod +x "$OUT.tools/compile" "$OUT.tools/zip"
PATH=$OUT.tools:$PATH
export OUT PATH
CXX=compile CXXFLAGS='' LIB_FUZZING_ENGINE='' bash -eu .clusterfuzzlite/build.sh || exit 1

missing=0
is_there() { [ -f "$OUT/$1" ] || { echo "$1 is missing"; missing=1; }; }
for source in fuzz/*.cpp; do
    target=$(basename "$source" .cpp)
    case $target in *_main | planted) continue ;; esac
    found=0
    for options in "$OUT/fuzz_$target"*.options; do
        name=$(basename "$options" .options)
        is_there "$name"
        is_there "${name}_seed_corpus.zip"
        is_there "$(sed -n 's/^dict *= *//p' "$options")"
        found=1
    done
    [ $found = 1 ] || { echo "fuzz_$target is missing"; missing=1; }
done
exit $missing
