// The target of a search: a workload of this program, or a scenario's file.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "wedge/main/scenario_files.hpp"
#include "wedge/main/subcommand.hpp"

namespace wedge {

struct target {
    const workload_entry* workload = nullptr;
    std::string file;  ///< without a workload: the scenario

    const std::string& name() const noexcept { return workload ? workload->name : file; }
};

/// Returns the targets that words name; without words, all workloads.
///
/// @param unread  counts files that could not be read; the user was told
/// @throws error  a word is neither a workload nor the name of a file
inline std::vector<target> targets_of(const invocation& call, const std::vector<std::string>& words,
                                      std::uint64_t& unread) {
    std::vector<target> all;
    for (const std::string& word : words) {
        const auto named = std::find_if(call.workloads.begin(), call.workloads.end(),
                                        [&](const workload_entry& w) { return w.name == word; });
        std::error_code failed;
        const bool is_path = word.find('/') != std::string::npos || word.ends_with(".wedge") ||
                             std::filesystem::exists(word, failed);
        if (named != call.workloads.end()) {
            all.push_back({&*named, {}});
        } else if (is_path) {
            for (std::string& file : scenario_files(call, {word}, unread))
                all.push_back({nullptr, std::move(file)});
        } else {
            const std::vector<std::string> names = call.workload_names();
            throw error(
                "TARGET: there is no workload or file '" + word + "'" + suggestion(word, names) +
                (names.empty() ? "; this program has no workload" : "; there is " + joined(names)));
        }
    }
    if (words.empty())
        for (const workload_entry& each : call.workloads) all.push_back({&each, {}});
    if (words.empty() && all.empty())
        throw error(
            "TARGET: name a scenario; this program has no workload, one built with "
            "WEDGE_MAIN(workload...) has");
    return all;
}

/// Returns the names of the files of findings in scenarios.
inline file_stems stems_of(const std::vector<target>& all) {
    std::vector<std::string> files;
    for (const target& each : all)
        if (each.workload == nullptr) files.push_back(each.file);
    return file_stems(files);
}

}  // namespace wedge
