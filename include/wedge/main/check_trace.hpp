// `check --trace`: what the order checker says about a recorded trace.
#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/trace.hpp"
#include "wedge/main/files.hpp"
#include "wedge/order/trace_check.hpp"
#include "wedge/report/cause.hpp"
#include "wedge/report/json.hpp"
#include "wedge/report/text.hpp"

namespace wedge {

/// The result of one trace, as text and as JSON.
class checked_trace {
public:
    /// @param stated  sources or lists with attributes that state an order
    /// @throws error  a file cannot be read, is no trace, or contradicts itself
    explicit checked_trace(const std::string& file, const std::vector<std::string>& stated = {})
        : check_(parse_trace(read_text(file, trace_size_max), file)),
          found_(primed(check_, stated).run()) {}

    /// Returns the findings, whose marks the caller may set.
    std::vector<finding>& findings() noexcept { return found_.findings; }
    /// Returns whether nothing was found that is not allowed.
    bool is_met() const noexcept {
        return std::ranges::all_of(found_.findings, &finding::is_allowed);
    }
    /// Returns the outcome's word. A trace without a finding proves nothing.
    const char* outcome() const noexcept {
        return name_of(found_.findings.empty() ? result::unresolved : result::finding);
    }

    std::string text() const {
        const trace& recorded = check_.recorded();
        std::string text = recorded.file + ": ";
        text += found_.findings.empty() ? "nothing found\n\n" : "finding\n\n";
        const report::findings_by_cause grouped(found_.findings);
        text += grouped.lead();
        for (const std::size_t i : grouped.order())
            text += grouped.heading(i) + text_of(found_.findings[i]) + "\n";
        for (const finding& each : found_.remarks) text += "remark: " + remark_of(each) + "\n";
        if (!found_.remarks.empty()) text += "\n";
        text += report::counted(found_.findings.size(), "finding") + ", " +
                report::counted(found_.remarks.size(), "remark") + " from " +
                report::counted(check_.dependencies(), "dependency", "dependencies") + " in " +
                report::counted(recorded.events.size(), "event");
        return text + "; nothing was explored\n\n";
    }

    /// Returns one line, as for a scenario. Remarks are findings with the key `remark`.
    std::string json() const {
        json_writer json;
        report::begin_json(json, "check").key("file").value(check_.recorded().file);
        json.key("outcome").value(outcome()).key("findings").begin('[');
        const report::findings_by_cause grouped(found_.findings);
        for (std::size_t i = 0; i < found_.findings.size(); ++i)
            report::begin_finding(json, found_.findings[i], "", true, grouped.cause_of(i)).end('}');
        for (const finding& each : found_.remarks)
            report::begin_finding(json, each, "", true, 0).key("remark").value(true).end('}');
        report::write_exploration(json.end(']'), {});
        json.key("expected").begin('[').end(']').key("met").value(is_met());
        return json.end('}').text() + "\n";
    }

    /// Saves a record of each finding in a directory.
    ///
    /// @param stem  what the names of the records begin with
    void save(const std::string& folder, const std::string& stem) const {
        const std::string& file = check_.recorded().file;
        for (const finding& each : found_.findings) {
            finding_record made{
                .command = "check", .subject = file, .is_scenario = true, .what = each};
            write_text(finding_path(folder, stem, each) + ".finding.json", json_of(made));
        }
    }

private:
    static constexpr std::size_t trace_size_max = 4096;  // MiB

    static trace_check& primed(trace_check& check, const std::vector<std::string>& stated) {
        for (const std::string& each : stated)
            check.prime(stated_by_attributes(read_text(each), each), each);
        return check;
    }

    static std::string remark_of(const finding& each) {
        std::string text = report::what_of(each);
        if (!each.graded.guard.empty()) return text + "; guarded by " + each.graded.guard;
        if (each.graded.class_only) return text + "; no two threads had a lock in common";
        return text + "; only one thread runs this code";
    }

    trace_check check_;
    trace_findings found_;
};

}  // namespace wedge
