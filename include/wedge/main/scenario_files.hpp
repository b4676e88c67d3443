// Scenarios as files: finding and reading them, and schedules that name them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <vector>

#include "wedge/core/schedule_text.hpp"
#include "wedge/main/files.hpp"
#include "wedge/main/subcommand.hpp"
#include "wedge/report/json.hpp"
#include "wedge/scenario/check.hpp"
#include "wedge/scenario/parse.hpp"
#include "wedge/scenario/schedule_words.hpp"

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
    file_stems() = default;
    explicit file_stems(const std::vector<std::string>& files) {
        for (const std::string& file : files) {
            const std::filesystem::path path = whole(file);
            names_[path] = {file_part(path.stem().string()), path.parent_path()};
        }
        while (tell_apart()) {
        }
    }

    /// Returns the name of one of the files, and before it as many of its directories as tell it
    /// from the others.
    const std::string& operator()(const std::string& file) const {
        return names_.at(whole(file)).stem;
    }

private:
    struct name {
        std::string stem;
        std::filesystem::path folder;  ///< of what the stem begins with
    };

    static std::filesystem::path whole(const std::string& file) {
        return std::filesystem::absolute(file).lexically_normal();
    }

    /// Puts the next directory before each stem that several files have. Returns whether it did.
    bool tell_apart() {
        std::map<std::string, std::vector<name*>> by_stem;
        for (auto& [file, its] : names_) by_stem[its.stem].push_back(&its);
        bool has_changed = false;
        for (const auto& [stem, same] : by_stem)
            for (name* const each : same) {
                if (same.size() == 1 || !each->folder.has_filename()) continue;
                each->stem = file_part(each->folder.filename().string()) + "_" + stem;
                each->folder = each->folder.parent_path();
                has_changed = true;
            }
        return has_changed;
    }

    std::map<std::filesystem::path, name> names_;
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

/// Saves the schedule of a finding in a scenario. The schedule names the scenario relative to its
/// own directory.
///
/// @param path  as `finding_path` makes it
/// @return the schedule's file; empty if the finding has none
inline std::string save_schedule(const std::string& scenario_file, const std::string& path,
                                 const finding& found) {
    namespace fs = std::filesystem;
    if (found.best.decisions.empty()) return {};
    const fs::path folder = fs::path(path).parent_path();
    const bool is_absolute = scenario_file.starts_with('/') || folder.is_absolute();
    const fs::path named = is_absolute      ? fs::absolute(scenario_file).lexically_normal()
                           : folder.empty() ? fs::path(scenario_file)
                                            : fs::path(scenario_file).lexically_proximate(folder);
    schedule saved = found.best;
    saved.workload = scenario::schedule_word(named.string());
    const std::string file = path + ".schedule";
    write_text(file, to_string(saved));
    return file;
}

}  // namespace wedge
