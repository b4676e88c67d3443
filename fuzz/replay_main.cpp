// Runs inputs of a WEDGE_FUZZ program without libFuzzer: with any compiler, and without aborting.
//
//     replay_hierarchy corpora/hierarchy crash-604191da
//
// A file DESIGN-deadlock must show a deadlock of that design, DESIGN-rule a broken rule, and
// DESIGN-quiet must show nothing; other names promise nothing. Exit status: 0 every promise is
// kept, 1 not, 2 unreadable.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "wedge/fuzz/libfuzzer.hpp"

#include "inputs.hpp"

namespace {

namespace fs = std::filesystem;

/// What the name promises and the input does not keep; empty: all is well.
std::string broken_promise(const std::string& name, const std::string& design,
                           const wedge::fuzz_sighting* seen) {
    const std::size_t end = name.rfind('-') + 1;
    const std::string promised = name.substr(end);
    if (promised != "deadlock" && promised != "rule" && promised != "quiet") return {};
    if (!name.starts_with(design)) return "is an input for " + design;
    const std::string shown = seen == nullptr         ? "quiet"
                              : seen->what.is_stuck() ? "deadlock"
                                                      : "rule";
    return shown == promised ? "" : "promises " + promised + ", shows " + shown;
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
