#include <map>

#include "wedge/report/dot.hpp"

#include "report/formats.hpp"

namespace wedge::report_files {

std::string junit_of(const shown_run& all) {
    std::map<std::string, std::vector<const shown_case*>> suites;
    for (const shown_case& each : all.cases) suites[each.command].push_back(&each);
    std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
    for (const auto& [command, cases] : suites) {
        std::size_t failures = 0;
        std::size_t errors = 0;
        for (const shown_case* const each : cases)
            if (!each->is_met) ++(each->outcome == "error" ? errors : failures);
        text += "  <testsuite name=\"wedge " + command + "\" tests=\"" +
                std::to_string(cases.size()) + "\" failures=\"" + std::to_string(failures) +
                "\" errors=\"" + std::to_string(errors) + "\">\n";
        for (const shown_case* const each : cases) {
            text += "    <testcase classname=\"" + command + "\" name=\"" +
                    report::escaped(each->subject) + "\"";
            if (each->is_met) {
                text += "/>\n";
                continue;
            }
            const std::string element = each->outcome == "error" ? "error" : "failure";
            text += ">\n      <" + element + " message=\"" + report::escaped(each->why) + "\"/>\n" +
                    "    </testcase>\n";
        }
        text += "  </testsuite>\n";
    }
    return text + "</testsuites>\n";
}

}  // namespace wedge::report_files
