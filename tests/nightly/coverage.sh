#!/bin/sh
# coverage.sh WEDGE: a night measures which lines of a fuzz target its corpus reaches. Skipped without clang++ and llvm.
set -u
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work" && mkdir src || exit 2
for tool in clang++ llvm-cov llvm-profdata; do
    command -v $tool >/dev/null || { echo "skipped: no $tool"; exit 77; }
done
cat >src/target.cpp <<'END'
#include <cstddef>
#include <cstdint>
static int unused(int x) {
    return x + 1;
}
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 100'000) return unused(*data) * 0;
    return 0;
}
END
echo '{"version": 1}' >src/other.json
clang++ -std=c++20 -fsanitize=fuzzer src/target.cpp -o fuzz_target 2>build.log &&
    clang++ -std=c++20 -fsanitize=fuzzer -fprofile-instr-generate -fcoverage-mapping src/target.cpp -o covered 2>>build.log ||
    { echo "skipped: no libFuzzer"; exit 77; }
printf '%s\n' 'seconds = 4' 'slice = 1' '[[job]]' 'kind = "plain_fuzz"' 'program = "./fuzz_target"' \
    'options = ["-max_len=16"]' 'coverage = "./covered"' >nightly.toml
fail() { echo "coverage.sh: $*"; cat ./*.out; exit 1; }
"$1" nightly nightly.toml >night.out 2>&1 || fail "the night fails"
"$1" report nightly -o page.html >report.out 2>&1 || fail "no page"
grep -Eq '"covered":[34],"file":"[^"]*/src/target.cpp","lines":[67],"missed":"3-5"' page.html ||
    fail "the page has not the lines: $(grep -o '"files":[^]]*' page.html)"
sed -i 's|./covered|./fuzz_target|' nightly.toml
"$1" nightly nightly.toml >again.out 2>&1 || fail "a night without a profile fails"
grep -q 'coverage: .*fuzz_target has left no profile; build it with' again.out || fail "it does not say what is missing"
