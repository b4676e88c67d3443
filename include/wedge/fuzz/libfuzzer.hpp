// WEDGE_FUZZ: makes a libFuzzer target of workloads.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include "wedge/event/schedule_text.hpp"
#include "wedge/fuzz/group.hpp"
#include "wedge/report/text.hpp"

namespace wedge {

namespace detail {

/// What the command line says to us; libFuzzer passes over options that begin with `--`.
struct fuzz_invocation {
    std::string program = "fuzz";
    std::string artifacts;  ///< put before the names of files, as for libFuzzer's own
};
inline fuzz_invocation& the_fuzz_invocation() {
    static fuzz_invocation& made = *new fuzz_invocation;
    return made;
}

inline bool write_all(int file, std::string_view text) noexcept {
    while (!text.empty()) {
        const auto written = ::write(file, text.data(), text.size());
        if (written <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

inline bool save(const std::string& path, std::string_view text) noexcept {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) return false;
    const bool is_written = write_all(file, text);
    return ::close(file) == 0 && is_written;
}

inline void begin_fuzzing(int argc, char** argv, fuzz_group& group) {
    fuzz_invocation& call = the_fuzz_invocation();
    if (argc > 0) call.program = argv[0];
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        constexpr std::string_view design = "--design=";
        constexpr std::string_view prefix = "-artifact_prefix=";
        if (word.starts_with(prefix)) call.artifacts = word.substr(prefix.size());
        if (!word.starts_with(design)) continue;
        try {
            group.restrict_to(word.substr(design.size()));
        } catch (const error& wrong) {
            write_all(2, call.program + ": " + wrong.what() + "\n");
            ::_exit(2);  // libFuzzer has not begun: there is nothing to save
        }
    }
}

}  // namespace detail

/// The report of a sighting, with the lines that fuzzing services look for. Saves the smallest
/// input and the schedule, and names them.
inline std::string report_of(const fuzz_sighting& seen, const fuzz_design& of) {
    const detail::fuzz_invocation& call = detail::the_fuzz_invocation();
    const std::string stem = call.artifacts + "wedge-" + fuzz_group::short_name(of.name) + "-" +
                             short_hash(seen.what.signature);
    const std::vector<std::uint8_t> bytes = encode(seen.input);
    const bool has_input = detail::save(
        stem + ".input",
        {reinterpret_cast<const char*>(bytes.data()), bytes.size()});  // the same bytes as text
    const bool has_schedule = detail::save(stem + ".schedule", to_string(seen.what.best));
    std::string text = "\nworkload: " + of.name + ": " + seen.what.best.program + "\n\n";
    text += text_of(seen.what, has_input ? call.program + " " + stem + ".input" : "");
    if (has_schedule) text += "schedule: " + stem + ".schedule\n";
    if (seen.is_composed)
        text += "note: composed of tasks of several inputs; the last one alone is quiet\n";
    text += "ERROR: wedge: " + report::heading_of(seen.what) + "\n";
    text += "DEDUP_TOKEN: " + seen.what.signature + "\n";
    text += "SUMMARY: wedge: " + std::string(name_of(seen.what.kind)) + " in " + of.name + ": " +
            seen.what.signature + "\n";
    return text;
}

/// One input: decodes it, runs it, and on a finding prints the report and aborts, so that the
/// fuzzer keeps the input.
inline int fuzz_one(fuzz_group& group, const std::uint8_t* data, std::size_t size) {
    const std::span<const std::uint8_t> bytes(data, size);
    if (const std::optional<fuzz_sighting> seen = group.run(bytes)) {
        detail::write_all(2, report_of(*seen, group.design_of(bytes)));
        std::abort();
    }
    return 0;
}

template <workload... Workloads>
int fuzz(const std::uint8_t* data, std::size_t size) {
    return fuzz_one(fuzz_group_of<Workloads...>(), data, size);
}

}  // namespace wedge

/// The workloads of this program's WEDGE_FUZZ; what replays a corpus without libFuzzer takes them.
wedge::fuzz_group& wedge_fuzz_group();

/// Makes a libFuzzer target of one or more workloads.
///
///     WEDGE_FUZZ(transfer, eviction)     // ./prog -max_total_time=60 --design=eviction corpus/
#define WEDGE_FUZZ(...)                                                                       \
    wedge::fuzz_group& wedge_fuzz_group() {                                                   \
        return ::wedge::fuzz_group_of<__VA_ARGS__>();                                         \
    }                                                                                         \
    extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {                            \
        ::wedge::detail::begin_fuzzing(*argc, *argv, wedge_fuzz_group());                     \
        return 0;                                                                             \
    }                                                                                         \
    extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {       \
        return ::wedge::fuzz<__VA_ARGS__>(data, size);                                        \
    }                                                                                         \
    extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,      \
                                                   std::size_t size_max, unsigned int seed) { \
        return wedge_fuzz_group().mutate(data, size, size_max, seed);                         \
    }
