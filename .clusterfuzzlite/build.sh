#!/bin/bash -eu
# Builds the fuzz targets for ClusterFuzzLite and OSS-Fuzz, whose images set CXX, CXXFLAGS, LIB_FUZZING_ENGINE and OUT.
# Runs in the root of the tree; by hand: docs/fuzzing.md.
flags=(-std=c++20 -DWEDGE_FIBERS=1 -DWEDGE_IMPLEMENT -Iinclude -Itests -Itools -fno-sanitize=vptr
       -fsanitize-ignorelist=cmake/fuzz_uninstrumented.txt)

for source in fuzz/*.cpp; do
    target=$(basename "$source" .cpp)
    case $target in
        *_main | planted) continue ;;  # planted: only to measure fuzzers by
        # The other designs are broken on purpose, and would be reported every night.
        hierarchy) names=(fuzz_hierarchy--{device,gpu_device}-upstream) ;;
        *) names=("fuzz_$target") ;;
    esac
    ignored=fuzz/std_ignorelist.txt
    if grep -q '^WEDGE_FUZZ(' "$source"; then ignored=cmake/fuzz_ignorelist.txt; fi
    inputs=()
    for folder in "$target" $(sed -n 's|^// corpus: *||p' "$source"); do
        if [[ -d corpora/$folder ]]; then inputs+=("corpora/$folder"/*); fi
    done
    more=(cmake/implement_order.cpp)
    if grep -q '^#include "explain/' "$source"; then
        for part in tools/explain/*.cpp; do
            [[ $part == *_command.cpp || $part == */verdict.cpp ]] || more+=("$part")  # these need the engine
        done
    fi
    $CXX $CXXFLAGS "${flags[@]}" -fsanitize-coverage-ignorelist=$ignored "$source" "${more[@]}" \
        $LIB_FUZZING_ENGINE -l:libboost_context.a -pthread -o "$OUT/$target.built"
    for name in "${names[@]}"; do
        cp "$OUT/$target.built" "$OUT/$name"
        [[ ! -f fuzz/$target.options ]] || cp "fuzz/$target.options" "$OUT/$name.options"
        ((${#inputs[@]} == 0)) || zip -qj "$OUT/${name}_seed_corpus.zip" "${inputs[@]}"
    done
    rm "$OUT/$target.built"
    [[ ! -f fuzz/$target.dict ]] || cp "fuzz/$target.dict" "$OUT"
done
