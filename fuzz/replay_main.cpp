// Runs inputs of a WEDGE_FUZZ program without libFuzzer: with any compiler, and without aborting.
//
//     replay_hierarchy corpora/hierarchy crash-604191da
//
// A file DESIGN-deadlock must show a deadlock of that design, DESIGN-finding any finding, and
// DESIGN-quiet none. Other names promise nothing. Exit status: 0 every promise is kept, 1 some
// promise is broken, 2 a file cannot be read.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "wedge/implement/fuzz.hpp"

#include "inputs.hpp"

/// TSan would also report the deadlocks that inputs promise, so its deadlock detector is off.
extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() {
    return "detect_deadlocks=0";
}

namespace {

namespace fs = std::filesystem;

/// Returns the promise of the name that the input breaks; empty if it breaks none.
std::string broken_promise(const std::string& name, const std::string& design,
                           const wedge::fuzz_sighting* seen) {
    const std::string promised = name.substr(name.rfind('-') + 1);
    if (promised != "deadlock" && promised != "finding" && promised != "quiet") return {};
    if (!name.starts_with(design)) return "is an input for " + design;
    if (promised == "quiet") return seen == nullptr ? "" : "is not quiet";
    if (seen == nullptr) return "shows nothing";
    return promised == "finding" || seen->what.is_stuck() ? "" : "shows no deadlock";
}

/// @return whether the promise is kept
bool replay(wedge::fuzz_group& group, const fs::path& path) {
    const std::vector<std::uint8_t> bytes = input_bytes(path);
    group.forget();  // each file is judged alone
    const std::optional<wedge::fuzz_sighting> seen = group.run(bytes);
    const std::string design = wedge::fuzz_group::short_name(group.design_of(bytes).name);
    const std::string name = path.filename().string();
    std::printf("%s: %s: %s\n", name.c_str(), design.c_str(),
                seen ? wedge::report::heading_of(seen->what).c_str() : "quiet");
    const std::string broken = broken_promise(name, design, seen ? &*seen : nullptr);
    if (broken.empty()) return true;
    if (seen) std::printf("\n%s\n", wedge::text_of(seen->what).c_str());
    std::printf("%s: %s\n", name.c_str(), broken.c_str());
    return false;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        wedge::fuzz_program::the().begin(argc, argv, wedge_fuzz_group());
        const std::vector<fs::path> files = input_files(argc, argv);
        std::size_t kept = 0;
        for (const fs::path& each : files) kept += replay(wedge_fuzz_group(), each) ? 1 : 0;
        std::printf("%zu of %zu inputs show what their names say\n", kept, files.size());
        return kept == files.size() ? 0 : 1;
    } catch (const std::exception& wrong) {
        std::fprintf(stderr, "%s: %s\n", argv[0], wrong.what());
        return 2;
    }
}
