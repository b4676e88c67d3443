#include <algorithm>
#include <map>

#include "wedge/report/dot.hpp"

#include "report/formats.hpp"

namespace wedge::report_files {

namespace {

/// Returns the element that says how a case ended; null: it passed.
const char* element_of(case_end end) {
    switch (end) {
        case case_end::passed: return nullptr;
        case case_end::failed: return "failure";
        case case_end::error: return "error";
        case case_end::skipped: return "skipped";
    }
    return nullptr;
}

std::string text_of(const shown_case& one) {
    std::string text = "    <testcase classname=\"" + report::escaped(one.group) + "\" name=\"" +
                       report::escaped(one.name) + "\"";
    const char* const element = element_of(one.end);
    if (element == nullptr) return text + "/>\n";
    return text + ">\n      <" + element + " message=\"" + report::escaped(one.why) +
           "\"/>\n    </testcase>\n";
}

}  // namespace

std::string junit_of(const shown_run& all) {
    std::map<std::string, std::vector<const shown_case*>> suites;
    for (const shown_case& each : all.cases) suites[each.suite].push_back(&each);
    std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
    for (const auto& [suite, cases] : suites) {
        const auto count = [&all_of = cases](case_end end) {
            return std::to_string(std::ranges::count(all_of, end, &shown_case::end));
        };
        text += "  <testsuite name=\"wedge " + report::escaped(suite) + "\" tests=\"" +
                std::to_string(cases.size()) + "\" failures=\"" + count(case_end::failed) +
                "\" errors=\"" + count(case_end::error) + "\" skipped=\"" +
                count(case_end::skipped) + "\">\n";
        for (const shown_case* const each : cases) text += text_of(*each);
        text += "  </testsuite>\n";
    }
    return text + "</testsuites>\n";
}

}  // namespace wedge::report_files
