// An outcome as one line of JSON, for scripts.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wedge/core/timeline.hpp"
#include "wedge/report/cause.hpp"
#include "wedge/report/dot.hpp"
#include "wedge/report/text.hpp"
#include "wedge/report/words.hpp"
#include "wedge/workload/outcome.hpp"

namespace wedge {

/// Writes JSON on one line. Keys stay in the order in which they are given.
///
///     json_writer json;
///     json.begin('{').key("n").value(3).end('}');
class json_writer {
public:
    json_writer& begin(char bracket) {
        comma();
        text_ += bracket;
        is_first_ = true;
        return *this;
    }
    json_writer& end(char bracket) {
        text_ += bracket;
        is_first_ = false;
        return *this;
    }
    json_writer& key(std::string_view name) {
        value(name);
        text_ += ':';
        is_first_ = true;  // no comma stands before the value
        return *this;
    }
    json_writer& value(std::string_view text) {
        comma();
        text_ += '"';
        for (std::size_t i = 0; i < text.size();) i += add_character(text.substr(i));
        text_ += '"';
        return *this;
    }
    json_writer& value(const std::string& text) { return value(std::string_view(text)); }
    json_writer& value(const char* text) { return value(std::string_view(text)); }
    json_writer& value(std::uint64_t number) { return raw(std::to_string(number)); }
    json_writer& value(bool truth) { return raw(truth ? "true" : "false"); }
    json_writer& null() { return raw("null"); }

    template <class Strings>
    json_writer& list(const Strings& all) {
        begin('[');
        for (const auto& one : all) value(one);
        return end(']');
    }

    const std::string& text() const noexcept { return text_; }

private:
    void comma() {
        if (!is_first_) text_ += ',';
        is_first_ = false;
    }
    json_writer& raw(std::string_view token) {
        comma();
        text_ += token;
        return *this;
    }

    /// Appends the first character of `rest` and returns its number of bytes. A byte that is not
    /// UTF-8 (a file name may contain one) becomes U+FFFD, since JSON allows UTF-8 only.
    std::size_t add_character(std::string_view rest) {
        const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(rest[i]); };
        const unsigned first = byte(0);
        if (first == '"' || first == '\\') {
            text_ += '\\';
            text_ += rest[0];
        } else if (first == '\n') {
            text_ += "\\n";
        } else if (first < 0x20 || first == 0x7f) {
            text_ += "\\u00";
            text_ += "0123456789abcdef"[first >> 4];
            text_ += "0123456789abcdef"[first & 15];
        } else if (first < 0x80) {
            text_ += rest[0];
        } else {
            const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
            bool is_valid = first >= 0xc2 && first < 0xf5 && rest.size() >= size;
            for (std::size_t i = 1; is_valid && i < size; ++i) is_valid = (byte(i) & 0xc0) == 0x80;
            if (is_valid && first == 0xe0) is_valid = byte(1) >= 0xa0;  // overlong
            if (is_valid && first == 0xed) is_valid = byte(1) < 0xa0;   // a surrogate
            if (is_valid && first == 0xf0) is_valid = byte(1) >= 0x90;  // overlong
            if (is_valid && first == 0xf4) is_valid = byte(1) < 0x90;   // above U+10FFFF
            text_ += is_valid ? rest.substr(0, size) : std::string_view("\xef\xbf\xbd");
            return is_valid ? size : 1;
        }
        return 1;
    }

    std::string text_;
    bool is_first_ = true;
};

/// The version of the JSON of all commands (docs/machine_readable.md). It changes when a key goes
/// or changes its meaning; a new key changes nothing.
inline constexpr std::uint64_t json_schema = 1;

namespace report {

/// Begins the object that a command prints.
inline json_writer& begin_json(json_writer& json, std::string_view command) {
    return json.begin('{').key("schema").value(json_schema).key("command").value(command);
}

/// Writes whether everything was tried, and what was left out all the same.
inline json_writer& write_exhausted(json_writer& json, const outcome& found) {
    json.key("exhausted").value(found.exhausted);
    if (!found.weaker_order.empty()) json.key("weaker_order").value(found.weaker_order);
    if (found.has_limited_wakes) json.key("limited_wakes").value(true);
    return json;
}

/// Writes the numbers of an exploration. A search over schedules has no states.
inline void write_exploration(json_writer& json, const outcome& found) {
    json.key("exploration").begin('{').key("executions").value(found.executions);
    json.key("states");
    if (found.states == 0)
        json.null();
    else
        json.value(found.states);
    write_exhausted(json, found).end('}');
}

/// Writes the lock pairs that runs have shown.
///
/// @param seen     by the runs
/// @param written  all pairs of the text of a scenario; null: there is no text, so how many are
///                 possible is unknown
/// @param name_of  returns the shown name of a class
template <class Name>
void write_lock_pairs(json_writer& json, const std::vector<dependency>& seen,
                      const std::vector<dependency>* written, Name name_of) {
    using pair = std::pair<std::string, std::string>;
    const auto pair_of = [&](const dependency& of) {
        return pair(name_of(of.held.class_name), name_of(of.wanted.class_name));
    };
    std::map<pair, std::pair<const dependency*, bool>> all;  // and whether it was seen
    if (written != nullptr)
        for (const dependency& each : *written) all.try_emplace(pair_of(each), &each, false);
    for (const dependency& each : seen) all.insert_or_assign(pair_of(each), std::pair(&each, true));
    std::uint64_t reached = 0;
    for (const auto& [name, one] : all) reached += one.second ? 1 : 0;
    json.key("lock_pairs").begin('{').key("seen").value(reached).key("possible");
    if (written == nullptr)
        json.null();
    else
        json.value(std::uint64_t{all.size()});
    json.key("pairs").begin('[');
    for (const auto& [name, one] : all) {
        json.begin('{').key("held").value(name.first).key("wanted").value(name.second);
        json.key("held_at").value(to_string(one.first->held.where));
        json.key("wanted_at").value(to_string(one.first->wanted.where));
        json.key("seen").value(one.second).end('}');
    }
    json.end(']').end('}');
}
/// The same for a workload.
inline void write_lock_pairs(json_writer& json, const std::vector<dependency>& seen) {
    write_lock_pairs(json, seen, nullptr, [](const std::string& name) { return name; });
}

}  // namespace report

/// What the JSON of a run contains in addition to its outcome.
struct json_context {
    std::string workload;
    std::string program;
    std::vector<std::string> schedules;  ///< the file of each finding's schedule; empty: none
    bool is_replay = false;              ///< then the JSON has the keys `reproduced` and `diverged`
    bool reproduced = false;
};

namespace report {

/// Returns the classes that a finding is about: of its cycle, of a broken rule, or of what the
/// tasks of its hang wait for. Classes of tasks that only stand by are left out.
inline std::vector<std::string> classes_of(const finding& found) {
    std::vector<std::string> classes;
    const auto add = [&](const std::string& name) {
        if (!name.empty() && std::find(classes.begin(), classes.end(), name) == classes.end())
            classes.push_back(name);
    };
    for (const dependency& edge : found.cycle) {
        add(edge.held.class_name);
        add(edge.wanted.class_name);
    }
    for (const lock_use& lock : found.locks) add(lock.class_name);
    if (!classes.empty()) return classes;
    for (const hang_link& link : hang_of(found).links) {
        if (link.wanted)
            add(link.wanted->class_name);
        else if (!link.waits_for.starts_with("the end of "))
            add(link.waits_for.substr(link.waits_for.find(' ') + 1));  // what follows the kind
    }
    if (found.kind == finding_kind::livelock)
        for (const task_report& task : found.tasks)
            if (task.wanted) add(task.wanted->class_name);
    return classes;
}

/// Writes who waits for whom, as the text and the picture show it.
inline void write_hang(json_writer& json, const finding& found) {
    const hang how = hang_of(found);
    const lock_names name(found);
    const auto put = [&](const char* key, const std::optional<lock_use>& lock) {
        json.key(key);
        if (!lock)
            json.null();
        else
            json.value(name(*lock) + terms_of(*lock));
    };
    json.begin('[');
    for (const hang_link& link : how.links) {
        json.begin('{').key("task").value(link.task);
        put(link.is_queued ? "queues_for" : "holds", link.holds);
        if (link.wanted)
            put("waits_for", link.wanted);
        else
            json.key("waits_for").value(link.waits_for);
        json.key("at").value(to_string(link.where)).end('}');
    }
    json.end(']');
}

inline void write_grade(json_writer& json, const grade& graded) {
    json.begin('[');
    if (!graded.guard.empty()) json.value("guarded by " + graded.guard);
    if (graded.needs_writer) json.value("needs a writer");
    if (graded.one_task) json.value("one task seen");
    if (graded.class_only) json.value("class only");
    if (graded.is_inferred) json.value("inferred wait");
    json.end(']');
}

/// Begins the object of a finding, and leaves it open for more keys.
///
/// @param is_judged  false for a replay, which judges no order
/// @param cause      the number of its cause among those of the run
inline json_writer& begin_finding(json_writer& json, const finding& found,
                                  const std::string& schedule, bool is_judged, std::size_t cause) {
    json.begin('{').key("kind").value(name_of(found.kind));
    json.key("what").value(what_of(found));
    json.key("classes").list(classes_of(found));
    json.key("grade");
    write_grade(json, found.graded);
    json.key("hang");
    write_hang(json, found);
    json.key("verdict");
    if (is_judged || found.judged != verdict::unresolved)
        json.value(name_of(found.judged));
    else
        json.null();
    json.key("reason").value(found.reason);
    json.key("schedule");
    if (schedule.empty())
        json.null();
    else
        json.value(schedule);
    json.key("signature").value(found.signature);
    if (found.is_allowed) json.key("allowed").value(true);
    return json.key("cause").value(std::uint64_t{cause});
}

inline void write_timeline(json_writer& json, const timeline& of) {
    json.begin('{').key("tasks").list(of.tasks).key("steps").begin('[');
    for (const timeline_step& each : of.steps) {
        json.begin('{').key("task").value(std::uint64_t{each.task}).key("does").value(each.does);
        json.key("object").value(each.object).key("shared").value(each.is_shared);
        json.key("at").value(each.where).end('}');
    }
    json.end(']').end('}');
}

}  // namespace report

/// One finding with everything that explains and repeats it: the content of a `.finding.json`,
/// which stands beside the finding's schedule. Empty texts are written as null.
struct finding_record {
    std::string command{};  ///< that found it: `fuzz`, `hunt`, …
    std::string subject{};  ///< the workload, or the scenario's file
    bool is_scenario = false;
    finding what{};
    std::string signature{};  ///< of the bug, if it is not that of the finding
    std::string expected{};   ///< what the subject states as its result: `deadlock`; empty: nothing
    std::string replay{};     ///< a command
    std::string input{};      ///< files
    std::string schedule{};
    std::string scenario{};
    timeline steps{};  ///< of the schedule
};

/// Returns one JSON object on one line, with the line's end.
inline std::string json_of(const finding_record& of) {
    json_writer json;
    report::begin_json(json, of.command);
    json.key(of.is_scenario ? "file" : "workload").value(of.subject);
    json.key("program").value(of.what.best.program);
    json.key("outcome").value(of.what.is_livelock()                     ? "livelock"
                              : of.what.is_stuck()                      ? "deadlock"
                              : of.what.kind == finding_kind::assertion ? "exception"
                                                                        : "finding");
    json.key("findings").begin('[');
    finding named = of.what;
    if (!of.signature.empty()) named.signature = of.signature;
    report::begin_finding(json, named, of.schedule, true, 1);
    const auto file = [&](const char* key, const std::string& text) {
        json.key(key);
        if (text.empty())
            json.null();
        else
            json.value(text);
    };
    file("expected", of.expected);
    file("replay", of.replay);
    file("input", of.input);
    file("scenario", of.scenario);
    json.key("text").value(text_of(of.what));
    json.key("dot").value(dot_of(of.what));
    json.key("timeline");
    report::write_timeline(json, of.steps);
    return json.end('}').end(']').end('}').text() + "\n";
}

/// Returns the line of a scenario that cannot be read: an outcome of its own, so that a reader of
/// the lines does not miss the file.
inline std::string json_of_unread(std::string_view command, const std::string& file,
                                  std::string_view why) {
    json_writer json;
    report::begin_json(json, command).key("file").value(file).key("outcome").value("error");
    report::write_exploration(json.key("findings").begin('[').end(']'), {});
    json.key("expected").begin('[').end(']').key("met").value(false).key("error").value(why);
    return json.end('}').text() + "\n";
}

/// Returns one JSON object on one line, with the line's end.
inline std::string json_of(const outcome& all, const json_context& context = {}) {
    json_writer json;
    report::begin_json(json, context.is_replay ? "replay" : "explore");
    json.key("workload").value(context.workload).key("program").value(context.program);
    json.key("outcome").value(name_of(all.what));
    json.key("findings").begin('[');
    const report::findings_by_cause grouped(all.findings);
    for (std::size_t i = 0; i < all.findings.size(); ++i)
        report::begin_finding(json, all.findings[i],
                              i < context.schedules.size() ? context.schedules[i] : "",
                              !context.is_replay, grouped.cause_of(i))
            .end('}');
    json.end(']').key("exploration").begin('{');
    json.key("executions").value(all.executions).key("pruned").value(all.pruned);
    json.key("steps").value(all.steps);
    report::write_exhausted(json, all).end('}');
    if (!context.is_replay) report::write_lock_pairs(json, all.lock_pairs);
    if (context.is_replay) {
        json.key("reproduced").value(context.reproduced).key("diverged");
        if (all.diverged.empty())
            json.null();
        else
            json.value(all.diverged);
    }
    return json.end('}').text() + "\n";
}

}  // namespace wedge
