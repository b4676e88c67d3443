// The fuzz target behind wedge/fuzz.hpp: one source of a program includes this header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "wedge/fuzz.hpp"
#include "wedge/fuzz/engine.hpp"
#include "wedge/fuzz/libfuzzer.hpp"

/// The workloads of this program's WEDGE_FUZZ; what replays a corpus without libFuzzer takes them.
inline wedge::fuzz_group& wedge_fuzz_group() {
    static wedge::fuzz_group& made = *new wedge::fuzz_group(wedge_fuzz_designs());
    return made;
}

namespace wedge {

[[gnu::weak]] std::optional<finding> fuzz(std::uint64_t inputs_max, std::uint64_t seed) {
    fuzz_engine engine(wedge_fuzz_group(), seed);
    std::optional<fuzz_sighting> seen = engine.run(inputs_max);
    if (!seen) return std::nullopt;
    return std::move(seen->what);
}

}  // namespace wedge

// The names are those of AddressSanitizer, libFuzzer and AFL++.
extern "C" {
/// ASan keeps the stack of each allocation for good. The stacks of fibers differ from input to
/// input, so a target would grow by 70 MB per million inputs. One frame suffices to name an
/// allocation; `ASAN_OPTIONS=malloc_context_size=30` shows more when a crash is repeated.
[[gnu::weak, gnu::used]] const char* __asan_default_options() {
    return "malloc_context_size=1";
}
[[gnu::weak]] int LLVMFuzzerInitialize(int* argc, char*** argv) {
    wedge::fuzz_program::the().begin(*argc, *argv, wedge_fuzz_group());
    return 0;
}
[[gnu::weak]] int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    return wedge::fuzz_program::the().run(data, size);
}
[[gnu::weak]] std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                                  std::size_t size_max, unsigned int seed) {
    return wedge::fuzz_program::the().mutate(data, size, size_max, seed);
}
[[gnu::weak]] std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* one, std::size_t one_size,
                                                    const std::uint8_t* other,
                                                    std::size_t other_size, std::uint8_t* data,
                                                    std::size_t size_max, unsigned int seed) {
    return wedge::fuzz_program::the().cross_over({one, one_size}, {other, other_size}, data,
                                                 size_max, seed);
}
[[gnu::weak]] void* afl_custom_init(void*, unsigned int seed) {
    return new wedge::afl_mutator(wedge_fuzz_group(), seed);
}
[[gnu::weak]] void afl_custom_deinit(void* mutator) {
    delete static_cast<wedge::afl_mutator*>(mutator);
}
[[gnu::weak]] std::size_t afl_custom_fuzz(void* mutator, std::uint8_t* data, std::size_t size,
                                          std::uint8_t** into, std::uint8_t* other,
                                          std::size_t other_size, std::size_t size_max) {
    const std::span<std::uint8_t> made = static_cast<wedge::afl_mutator*>(mutator)->fuzz(
        {data, size}, {other, other_size}, size_max);
    *into = made.data();
    return made.size();
}
}
