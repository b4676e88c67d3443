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
must_be() { [ -f "$OUT/$1" ] || { echo "$1 is missing"; missing=1; }; }
for source in fuzz/*.cpp; do
    target=$(basename "$source" .cpp)
    names=fuzz_$target
    case $target in
        *_main | planted) continue ;;
        hierarchy) names='fuzz_hierarchy--device-upstream fuzz_hierarchy--gpu_device-upstream' ;;
    esac
    for name in $names; do
        must_be "$name"
        [ ! -f "fuzz/$target.options" ] || must_be "$name.options"
        [ ! -d "corpora/$target" ] || must_be "${name}_seed_corpus.zip"
    done
    [ ! -f "fuzz/$target.dict" ] || must_be "$target.dict"
done
exit $missing
