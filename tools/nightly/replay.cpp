// Whether a known finding still shows.
#include <filesystem>

#include "wedge/core/check.hpp"

#include "nightly/night.hpp"

namespace wedge::nightly {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds patience(60);

/// Returns whether the output of a run contains the finding: as a record or as a token.
bool shows(const finding_row& of, const std::string& out) {
    if (out.find("DEDUP_TOKEN: " + of.signature + "\n") != std::string::npos) return true;
    for (const statement& said : read_statements(out, of.program)) {
        if (const auto broken = broken_expectation(said))
            if (broken->signature == of.signature) return true;
        for (const finding_seen& each : findings_of(said))
            if (each.signature == of.signature) return true;
    }
    return false;
}

/// One attempt to show a finding again.
struct attempt {
    std::vector<std::string> words;
    int missing_status = 2;  ///< the exit status that says nothing about the finding
};

std::vector<attempt> attempts_of(const finding_row& of, const json& record, const std::string& self,
                                 const std::string& scratch) {
    std::vector<attempt> all;
    // A check tries every schedule. The schedule itself may name the scenario of another checkout.
    if (of.subject.ends_with(".wedge")) return {{{self, "check", "--json", of.subject}}};
    const std::string input = text_in(record, "input");
    const std::string crash = text_in(record, "crash");
    const std::string schedule = text_in(record, "schedule");
    if (!input.empty() && fs::exists(input)) all.push_back({{of.program, input}});
    if (!crash.empty() && fs::exists(crash)) all.push_back({{of.program, crash}});
    const bool is_fuzzer = !input.empty() || !crash.empty();
    if (!schedule.empty() && fs::exists(schedule) && !is_fuzzer)
        all.push_back({{of.program, "replay", "--json", schedule}});
    if (!is_fuzzer && !schedule.empty())
        all.push_back({{of.program, "explore", "--json", "--executions", "20000", "--out",
                        scratch + "/explored", of.subject}});
    return all;
}

}  // namespace

replayed replay(const finding_row& of, const std::string& self, const std::string& scratch,
                const std::string& folder) {
    const json record = json::parse(of.record, nullptr, false);
    if (!record.is_object()) return replayed::unclear;
    bool has_answer = false;
    for (const attempt& each : attempts_of(of, record, self, scratch)) {
        try {
            const run_result ran = run_to_end(
                each.words, scratch + "/replay-" + of.short_name() + ".log", patience, folder);
            if (shows(of, ran.out)) return replayed::again;
            // A sanitizer's finding is compared by its summary line.
            job_config as{};
            as.program = of.program;
            as.subject = of.subject;
            if (const auto crash = summary_in(ran.out, as))
                if (crash->signature == of.signature) return replayed::again;
            has_answer =
                has_answer || (ran.how.signal == 0 && ran.how.status != each.missing_status);
        } catch (const error&) {  // the program is gone
        }
    }
    return has_answer ? replayed::gone : replayed::unclear;
}

std::string revision_in(const std::string& folder) {
    std::string revision = "unknown";
    try {
        const run_result ran = result_of({"git", "-C", folder, "rev-parse", "--short=12", "HEAD"},
                                         std::chrono::seconds(10));
        if (ran.how.status == 0) {
            revision = ran.out.substr(0, ran.out.find('\n'));
            const run_result changed = result_of({"git", "-C", folder, "diff", "--quiet", "HEAD"},
                                                 std::chrono::seconds(30));
            if (changed.how.status == 1) revision += "+";
        }
    } catch (const error&) {  // no git
    }
    return revision;
}

}  // namespace wedge::nightly
