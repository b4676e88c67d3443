// Runs inputs of a fuzz target that is a plain function, without libFuzzer: with any compiler.
//
//     replay_order_truth corpora/order_truth crash-604191da
//
// Exit status: 0 all ran, 2 unreadable. A target that finds something aborts.
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <vector>

#include "inputs.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

/// Inputs invert lock orders on purpose, so TSan looks for races only.
extern "C" const char* __tsan_default_options() {
    return "detect_deadlocks=0";
}

int main(int argc, char** argv) {
    try {
        const std::vector<std::filesystem::path> files = input_files(argc, argv);
        for (const std::filesystem::path& each : files) {
            std::printf("%s\n", each.filename().string().c_str());
            std::fflush(stdout);  // so that the last line names the input that aborts
            const std::vector<std::uint8_t> bytes = input_bytes(each);
            LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
        }
        std::printf("%zu inputs ran\n", files.size());
        return 0;
    } catch (const std::exception& wrong) {
        std::fprintf(stderr, "%s: %s\n", argv[0], wrong.what());
        return 2;
    }
}
