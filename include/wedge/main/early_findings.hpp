// Saves the findings of a search while it runs, so that a process that is killed loses none.
#pragma once

#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wedge/core/check.hpp"
#include "wedge/core/finding.hpp"
#include "wedge/explore/options.hpp"
#include "wedge/main/progress.hpp"
#include "wedge/workload/outcome.hpp"

namespace wedge {

/// Saves each finding of a running search once its execution is known. The schedule is not
/// minimised yet; at the end of the search the caller saves the final one in its place.
///
///     early_findings early(line, [&](const finding& each) { return save(each); });
///     early.add_to(options);
///     ...
///     remove_others(early.files(), files);  // what the search counts no longer
class early_findings {
public:
    /// Saves a finding and returns the file's path; empty if there is nothing to save.
    using saver = std::function<std::string(const finding&)>;

    early_findings(progress_line& line, saver save) : line_(line), save_(std::move(save)) {}
    early_findings(const early_findings&) = delete;
    early_findings& operator=(const early_findings&) = delete;

    /// Makes a search report here. Until it ends, this object must live.
    void add_to(explore_options& options) {
        options.on_progress = [](const outcome& so_far, void* self) {
            static_cast<early_findings*>(self)->see(so_far);
        };
        options.progress_data = this;
    }

    /// Shows the progress and saves what is new. A failure to save is left to the end of the
    /// search, which saves again and reports it.
    void see(const outcome& so_far) {
        progress_line::on(so_far, &line_);
        for (const finding& each : so_far.findings) {
            if (each.best.decisions.empty() || files_.contains(each.signature)) continue;
            std::string& file = files_[each.signature];
            try {
                file = save_(each);
            } catch (const error&) {
            }
        }
    }

    /// Returns the files that were saved.
    std::vector<std::string> files() const {
        std::vector<std::string> all;
        for (const auto& [signature, file] : files_)
            if (!file.empty()) all.push_back(file);
        return all;
    }

private:
    progress_line& line_;
    const saver save_;
    std::map<std::string, std::string> files_;  // by signature
};

/// Removes the early schedules that are not among the final ones, with their records.
inline void remove_others(const std::vector<std::string>& early,
                          const std::vector<std::string>& final_files) {
    constexpr std::string_view ending = ".schedule";
    for (const std::string& file : early) {
        if (std::find(final_files.begin(), final_files.end(), file) != final_files.end()) continue;
        std::remove(file.c_str());
        if (file.ends_with(ending))
            std::remove((file.substr(0, file.size() - ending.size()) + ".finding.json").c_str());
    }
}

}  // namespace wedge
