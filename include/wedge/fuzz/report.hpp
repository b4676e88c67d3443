// The report of a sighting, and its files: input, program, schedule and scenario.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "wedge/core/schedule_text.hpp"
#include "wedge/fuzz/group.hpp"
#include "wedge/fuzz/program_text.hpp"
#include "wedge/report/json.hpp"
#include "wedge/report/text.hpp"
#include "wedge/scenario/saved.hpp"
#include "wedge/scenario/timeline.hpp"

namespace wedge {

namespace detail {

inline bool write_all(int file, std::string_view text) noexcept {
    while (!text.empty()) {
        const auto written = ::write(file, text.data(), text.size());
        if (written <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

/// Writes a file beside the old one and puts it in its place, so that a process that is killed
/// leaves the old file or the new one, and never a part.
inline bool save(const std::string& path, std::string_view text) {
    const std::string draft = path + ".tmp-" + std::to_string(::getpid());
    const int file = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) return false;
    const bool is_written = write_all(file, text);
    if (::close(file) == 0 && is_written && std::rename(draft.c_str(), path.c_str()) == 0)
        return true;
    ::unlink(draft.c_str());
    return false;
}

}  // namespace detail

/// Returns a sighting's deadlock as a scenario for which `wedge check` finds the same. Empty if it
/// is no deadlock, or cannot be written as a scenario.
inline std::string scenario_of(const fuzz_sighting& seen, const fuzz_design& of) {
    if (!seen.what.is_stuck() || seen.what.best.decisions.empty()) return {};
    workload_subject what(*of.type, parse_program(seen.what.best.program));
    return scenario::scenario_of(
        what, seen.what,
        "# A deadlock that fuzzing found in " + of.name + ":\n# " + seen.what.best.program + "\n");
}

/// Returns the record of a sighting, without the names of its files.
inline finding_record record_of(const fuzz_sighting& seen, const fuzz_design& of) {
    finding_record made{.command = "fuzz", .subject = of.name, .what = seen.what};
    made.signature = seen.signature;
    made.expected = of.expected;
    if (!seen.what.best.decisions.empty()) {
        workload_subject what(*of.type, parse_program(seen.what.best.program));
        made.steps = scenario::timeline_of(what, seen.what.best);
    }
    return made;
}

/// Returns the report of a sighting, with the lines that fuzzing services look for. Saves the
/// smallest input as bytes and as text, the schedule and the scenario beside the other artefacts.
///
/// @param called_as  the target, for the line that repeats it
/// @param artefacts  a prefix of file names, as libFuzzer's -artifact_prefix
inline std::string report_of(const fuzz_sighting& seen, const fuzz_group& group,
                             const std::string& called_as, const std::string& artefacts) {
    const fuzz_design& of = group.designs()[seen.input.design];
    const std::string stem =
        artefacts + "wedge-" + fuzz_group::short_name(of.name) + "-" + short_hash(seen.signature);
    std::vector<std::uint8_t> bytes = encode(seen.input);
    input_trailer::append(bytes, group.fingerprint());
    const bool has_input =
        detail::save(stem + ".input",
                     {reinterpret_cast<const char*>(bytes.data()), bytes.size()});  // bytes as text
    std::string files;
    const auto keep = [&](const char* what, const char* extension, const std::string& text) {
        if (text.empty() || !detail::save(stem + extension, text)) return std::string();
        files += std::string(what) + stem + extension + "\n";
        return stem + extension;
    };
    finding_record record = record_of(seen, of);
    keep("program:  ", ".program", input_text(seen.input, group.designs()));
    record.schedule = keep("schedule: ", ".schedule", to_string(seen.what.best));
    const std::string scenario = scenario_of(seen, of);
    record.scenario = keep("scenario: ", ".wedge", scenario);
    if (has_input) {
        record.input = stem + ".input";
        record.replay = called_as + " " + record.input;
    }
    // Last: a reader that sees it finds the other files too.
    static_cast<void>(detail::save(stem + ".finding.json", json_of(record)));
    if (scenario.empty() && seen.what.is_stuck()) files += "scenario: " + scenario::unsaid + "\n";
    std::string text = "\nworkload: " + of.name + ": " + seen.what.best.program + "\n\n";
    text += text_of(seen.what, record.replay) + files;
    if (seen.is_composed) {
        text += "note: composed of tasks of " + std::to_string(seen.inputs.size()) +
                " inputs, of which none shows it alone:";
        for (const std::string& each : seen.inputs) text += " " + each;
        text += "\n";
    }
    // ClusterFuzz distinguishes findings by it.
    text += "Assertion failed: " + seen.signature + "\n";
    text += "ERROR: wedge: " + report::heading_of(seen.what) + "\n";
    text += "DEDUP_TOKEN: " + seen.signature + "\n";
    text += "SUMMARY: wedge: " + std::string(name_of(seen.what.kind)) + " in " + of.name + ": " +
            seen.signature + "\n";
    return text;
}

}  // namespace wedge
