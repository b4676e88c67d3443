#include "nightly/coverage.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>

#include "wedge/core/check.hpp"
#include "wedge/main/files.hpp"

#include "nightly/child.hpp"

namespace wedge::nightly {

namespace fs = std::filesystem;

namespace {

bool is_within(const fs::path& file, const std::vector<std::string>& wanted) {
    return std::any_of(wanted.begin(), wanted.end(), [&](const std::string& each) {
        const fs::path relative = file.lexically_relative(each);
        return !relative.empty() && *relative.begin() != "..";
    });
}

/// Returns lines as ranges: `12-14, 20`.
std::string ranges_of(const std::vector<std::int64_t>& lines) {
    std::string text;
    for (std::size_t i = 0; i < lines.size();) {
        std::size_t last = i;
        while (last + 1 < lines.size() && lines[last + 1] == lines[last] + 1) ++last;
        text += (text.empty() ? "" : ", ") + std::to_string(lines[i]);
        if (last > i) text += "-" + std::to_string(lines[last]);
        i = last + 1;
    }
    return text;
}

/// Returns the name under which one of LLVM's tools is there. The plain one is that of the default
/// compiler.
///
/// @throws error  it is missing
std::string tool_named(const std::string& name) {
    std::vector<std::string> tries{name};
    for (int version = 25; version >= 13; --version)
        tries.push_back(name + "-" + std::to_string(version));
    for (const std::string& each : tries) {
        try {
            if (result_of({each, "--help"}, std::chrono::seconds(10)).how.status == 0) return each;
        } catch (const error&) {  // try the next one
        }
    }
    throw error("coverage: " + name +
                " is missing (Debian: apt-get install llvm, of the version of clang++)");
}

run_result run_tool(const std::vector<std::string>& words, const std::string& log) {
    run_result ran = run_to_end(words, log, std::chrono::minutes(10));
    if (ran.how.status != 0)
        throw error("coverage: " + words.front() + ": " + ran.how.said() + "; " + log +
                    " has its output. It must be of the version of the clang++ that built the "
                    "program");
    return ran;
}

}  // namespace

std::vector<file_coverage> coverage_in(std::string_view lcov,
                                       const std::vector<std::string>& wanted) {
    std::map<std::string, std::map<std::int64_t, bool>> ran;  // by file and line
    std::map<std::int64_t, bool>* lines = nullptr;
    while (!lcov.empty()) {
        const std::size_t length = std::min(lcov.find('\n'), lcov.size());
        const std::string_view line = lcov.substr(0, length);
        lcov.remove_prefix(std::min(length + 1, lcov.size()));
        if (line.starts_with("SF:")) {
            const fs::path file = fs::path(line.substr(3)).lexically_normal();
            lines = is_within(file, wanted) ? &ran[file.string()] : nullptr;
        } else if (line.starts_with("DA:") && lines != nullptr) {
            std::int64_t number = 0;
            const char* const end = line.data() + line.size();
            const auto [at, failed] = std::from_chars(line.data() + 3, end, number);
            const bool has_run = failed == std::errc{} && at + 1 < end && at[1] != '0';
            bool& known = (*lines)[number];
            known = known || has_run;
        }
    }
    std::vector<file_coverage> all;
    for (const auto& [file, of] : ran) {
        std::vector<std::int64_t> missed;
        for (const auto& [line, has_run] : of)
            if (!has_run) missed.push_back(line);
        const auto count = static_cast<std::int64_t>(of.size());
        all.push_back(
            {file, count, count - static_cast<std::int64_t>(missed.size()), ranges_of(missed)});
    }
    return all;
}

std::vector<file_coverage> measure_coverage(const std::vector<covered_program>& programs,
                                            const std::string& scratch, const std::string& folder,
                                            std::chrono::milliseconds time,
                                            const std::vector<std::string>& wanted) {
    const std::string profdata = tool_named("llvm-profdata");
    const std::string cov = tool_named("llvm-cov");
    std::error_code failed;
    fs::remove_all(scratch, failed);
    make_folder(scratch);
    std::vector<std::string> merge{profdata, "merge", "-sparse", "-o", scratch + "/all.profdata"};
    std::vector<std::string> shown{cov, "export", "-format=lcov",
                                   "-instr-profile=" + scratch + "/all.profdata"};
    std::vector<std::string> objects;
    for (const covered_program& each : programs) {
        const std::string profile = scratch + "/" + each.name + ".profraw";
        std::vector<std::string> words{"env", "LLVM_PROFILE_FILE=" + profile};
        words.insert(words.end(), each.words.begin(), each.words.end());
        const std::string log = scratch + "/" + each.name + ".log";
        static_cast<void>(run_to_end(words, log, time, folder));
        if (!fs::exists(profile))
            throw error("coverage: " + each.words.front() +
                        " has left no profile; build it with "
                        "-fprofile-instr-generate -fcoverage-mapping; " +
                        log + " has its output");
        merge.push_back(profile);
        if (std::find(objects.begin(), objects.end(), each.words.front()) != objects.end())
            continue;
        if (!objects.empty()) shown.push_back("-object");
        shown.push_back(each.words.front());
        objects.push_back(each.words.front());
    }
    run_tool(merge, scratch + "/profdata.log");
    return coverage_in(run_tool(shown, scratch + "/lcov").out, wanted);
}

}  // namespace wedge::nightly
