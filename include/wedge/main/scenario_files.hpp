// Scenarios as files: finding and reading them, and schedules that name them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "wedge/core/schedule_text.hpp"
#include "wedge/main/files.hpp"
#include "wedge/main/subcommand.hpp"
#include "wedge/report/json.hpp"
#include "wedge/scenario/check.hpp"
#include "wedge/scenario/parse.hpp"

namespace wedge {

namespace detail {

inline void add_scenarios(const invocation& call, const std::filesystem::path& folder,
                          std::vector<std::string>& files, std::uint64_t& unread) {
    namespace fs = std::filesystem;
    const bool is_read = call.guarded([&] {
        std::error_code failed;
        fs::directory_iterator next(folder, failed);
        for (; !failed && next != fs::directory_iterator(); next.increment(failed)) {
            std::error_code ignored;
            const bool is_folder = next->is_directory(ignored);
            if (is_folder && !next->is_symlink(ignored))  // a link may lead back to this directory
                add_scenarios(call, next->path(), files, unread);
            else if (!is_folder && next->path().extension() == ".wedge")
                files.push_back(next->path().string());
        }
        if (failed) throw error(folder.string() + ": " + failed.message());
    });
    if (!is_read) ++unread;
}

}  // namespace detail

/// Returns the scenarios that paths name: files, and all *.wedge in directories, ordered by name.
///
/// @param unread  counts files that could not be read; the user was told
inline std::vector<std::string> scenario_files(const invocation& call,
                                               const std::vector<std::string>& paths,
                                               std::uint64_t& unread) {
    std::vector<std::string> all;
    for (const std::string& path : paths) {
        std::error_code failed;
        if (!std::filesystem::is_directory(path, failed)) {
            all.push_back(path);
            continue;
        }
        std::vector<std::string> files;
        const std::uint64_t unread_before = unread;
        detail::add_scenarios(call, path, files, unread);
        if (files.empty() && unread == unread_before) {
            call.complain(path + ": no scenario (*.wedge) in this directory");
            ++unread;
        }
        std::sort(files.begin(), files.end());
        all.insert(all.end(), files.begin(), files.end());
    }
    return all;
}

/// The names that the files of findings begin with: one per scenario or trace of a command.
class file_stems {
public:
    explicit file_stems(std::vector<std::string> files = {}) : files_(std::move(files)) {}

    /// Returns the name of the file, and before it as many of its directories as tell it from the
    /// other files.
    std::string operator()(const std::string& file) const {
        for (std::size_t directories = 0;; ++directories) {
            const std::string stem = last_parts(file, directories);
            const bool is_shared = std::any_of(files_.begin(), files_.end(), [&](auto& other) {
                return other != file && last_parts(other, directories) == stem;
            });
            if (!is_shared || stem == last_parts(file, directories + 1)) return stem;
        }
    }

private:
    static std::string last_parts(const std::string& file, std::size_t directories) {
        const std::filesystem::path path = std::filesystem::absolute(file).lexically_normal();
        std::string stem = file_part(path.stem().string());
        std::filesystem::path folder = path.parent_path();
        for (; directories != 0 && folder.has_filename(); --directories) {
            stem = file_part(folder.filename().string()) + "_" + stem;
            folder = folder.parent_path();
        }
        return stem;
    }

    std::vector<std::string> files_;
};

inline constexpr std::size_t scenario_size_max = 1;  // MiB; what the parser takes

/// @throws error  `path: …` or `path:line:column: …`
inline scenario::document read_scenario(const std::string& path) {
    return scenario::parse(read_text(path, scenario_size_max), path);
}

/// Does this for a command that prints JSON: a file that cannot be read has its line too.
inline scenario::document read_scenario(const invocation& call, const char* command,
                                        const std::string& path, bool as_json) {
    return call.reading(command, path, as_json, [&] { return read_scenario(path); });
}

/// Adds the option that puts the memory of a scenario under pressure.
inline void add_pressure(CLI::App& options, pressure& under) {
    options
        .add_flag_callback(
            "--pressure", [&under] { under = scenario::pressure_of("pressure"); },
            "Let any allocation of a scenario fail or reclaim first, whatever the zone has")
        ->disable_flag_override();
}

/// Returns the bounds on the search of one scenario, for `check` and the commands that use it.
inline scenario::check_options check_defaults() {
    scenario::check_options options;
    // Most executions of a search over states are short.
    options.explore.executions_max = 1'000'000;
    options.explore.steps_max = 2'000;           // a scenario that needs more only spins
    options.explore.steps_all_max = 20'000'000;  // a few seconds, half a minute at worst
    return options;
}

/// Saves the schedule of a finding in a scenario. The schedule names the scenario relative to the
/// directory.
///
/// @param stem  what the name of the schedule begins with
/// @return the schedule's file; empty if the finding has none
inline std::string save_schedule(const std::string& scenario_file, const std::string& stem,
                                 const std::string& folder, const finding& found) {
    namespace fs = std::filesystem;
    if (found.best.decisions.empty()) return {};
    const bool is_absolute = scenario_file.starts_with('/') || folder.starts_with('/');
    const fs::path named = is_absolute      ? fs::absolute(scenario_file).lexically_normal()
                           : folder.empty() ? fs::path(scenario_file)
                                            : fs::path(scenario_file).lexically_proximate(folder);
    schedule saved = found.best;
    saved.workload = scenario::schedule_word(named.string());
    const std::string path = finding_path(folder, stem, found) + ".schedule";
    write_text(path, to_string(saved));
    return path;
}

}  // namespace wedge
