// `--allow FILE`: known findings, which a command shows and does not count.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "wedge/main/files.hpp"
#include "wedge/main/subcommand.hpp"
#include "wedge/report/allow_list.hpp"
#include "wedge/scenario/check.hpp"

namespace wedge {

/// The option `--allow` of a command, and the list that it names (docs/allow_list.md). Without the
/// option nothing is allowed. Call `read` at the beginning of the run, and `report` at its end.
class allowed_findings {
public:
    void add_to(CLI::App& options) {
        options
            .add_option("--allow", file_,
                        "Known findings with reason, owner and expiry: they are shown and do not "
                        "count")
            ->type_name("FILE");
    }

    /// @throws error  the file cannot be read, or is no allow list
    void read() {
        if (!file_.empty()) list_ = allow_list(read_text(file_, 16), file_);
    }

    /// Returns whether a finding is known, and counts the match.
    ///
    /// @param subject  the workload, or the file of the scenario or trace
    bool allows(const std::string& signature, const std::string& subject) {
        return list_.allows(signature, subject);
    }
    /// Does this for a finding that has several signatures.
    bool allows_any(std::initializer_list<std::string_view> signatures,
                    const std::string& subject) {
        return list_.allows_any(signatures, subject);
    }
    /// Marks the findings that are known. Each entry of the list sees each finding.
    void mark(std::vector<finding>& all, const std::string& subject) {
        for (finding& each : all) each.is_allowed = allows(each.signature, subject);
    }

    /// Marks the known findings of a scenario, and judges its result as if they had not been found.
    void judge(const scenario::document& all, scenario::check_result& result,
               const std::string& file) {
        mark(result.found.findings, file);
        scenario::judge_without_allowed(all, result);
    }

    /// Names on the error stream the findings that were allowed, and the entries that are wrong.
    ///
    /// @param is_whole  the run was not ended early, so each entry could have matched
    void report(const invocation& call, bool is_whole) const {
        for (const allowed_finding& each : list_.entries())
            if (each.matched != 0 && !list_.is_expired(each))
                call.complain("allowed until " + each.expires + " (" + each.owner +
                              "): " + each.signature + ": " + each.reason);
        for (const std::string& each : list_.complaints(is_whole)) call.complain(each);
    }

private:
    std::string file_;
    allow_list list_;
};

}  // namespace wedge
