// The picture of a hang in text: one column per task, time running downwards.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wedge/report/words.hpp"

namespace wedge::report {

namespace detail {

inline std::string wait_for(std::string_view event) {
    constexpr std::string_view end = "the end of ";
    if (event.starts_with(end)) return "join(" + std::string(event.substr(end.size())) + ")";
    return "wait for " + std::string(event);
}

}  // namespace detail

/// Returns a step as its caller wrote it: `lock(a)`, `try_lock_shared(b)`.
inline std::string call_of(const lock_use& lock, const lock_names& name) {
    if (is_inferred_wait(lock)) return detail::wait_for(lock.class_name);
    const std::string tried = has(lock.with, flags::tried) ? "try_" : "";
    const std::string shared = is_shared(lock.how) ? "_shared" : "";
    return tried + "lock" + shared + "(" + name(lock) + ")";
}

namespace detail {

struct scenario_row {
    std::size_t column;
    std::string call;
    std::string note;  // why the task does not go on
};

struct scenario {
    std::vector<std::string> actors;
    std::vector<scenario_row> rows;
};

/// Returns the step that a task of a hang waits in, as its caller wrote it.
inline std::string wait_of(const hang_link& link, const lock_names& name) {
    return link.wanted ? call_of(*link.wanted, name) : wait_for(link.waits_for);
}

/// Returns the steps of a hang: first each task takes the lock that the previous task waits for,
/// then each task waits. To be on the way to a signal is no step.
inline scenario scenario_of(const hang& cycle, const lock_names& name) {
    scenario result;
    const std::vector<hang_link>& links = cycle.links;
    for (std::size_t i = 0; i < links.size(); ++i) {
        result.actors.push_back(links[i].task);
        if (links[i].holds && !links[i].is_queued && !is_inferred_wait(*links[i].holds))
            result.rows.push_back({i, call_of(*links[i].holds, name), ""});
    }
    for (std::size_t i = links.size(); i-- > 0;) {
        const hang_link& next = links[(i + 1) % links.size()];
        std::string note = "waits for " + (links.size() == 1 ? "itself" : next.task);
        if (next.is_queued) note += ", which queues before it";
        result.rows.push_back({i, wait_of(links[i], name), std::move(note)});
    }
    return result;
}

}  // namespace detail

/// Returns how a cycle of waits hangs, as a table with `indent` before every line; as a list if the
/// table would be wider than a terminal.
inline std::string scenario_table(const hang& cycle, const lock_names& name,
                                  const std::string& indent) {
    constexpr std::size_t width_max = 100;  // including the notes
    constexpr std::size_t gap = 4;
    const detail::scenario drawn = detail::scenario_of(cycle, name);

    std::vector<std::size_t> widths;
    for (const std::string& actor : drawn.actors) widths.push_back(actor.size());
    std::size_t note = 0;
    for (const detail::scenario_row& row : drawn.rows) {
        widths[row.column] = std::max(widths[row.column], row.call.size());
        note = std::max(note, row.note.size());
    }
    std::size_t total = indent.size() + note;
    for (const std::size_t width : widths) total += width + gap;

    std::string text;
    const auto line = [&](std::string content) {
        content.erase(content.find_last_not_of(' ') + 1);
        text += indent + content + "\n";
    };
    if (total > width_max) {
        std::size_t actor_width = 0, call_width = 0;
        for (const std::string& actor : drawn.actors)
            actor_width = std::max(actor_width, actor.size());
        for (const detail::scenario_row& row : drawn.rows)
            call_width = std::max(call_width, row.call.size());
        for (const detail::scenario_row& row : drawn.rows)
            line(padded(drawn.actors[row.column], actor_width + gap) +
                 padded(row.call, call_width + gap) + row.note);
        return text;
    }
    std::string titles, rules;
    for (std::size_t i = 0; i < widths.size(); ++i) {
        titles += padded(drawn.actors[i], widths[i] + gap);
        rules += padded(std::string(widths[i], '-'), widths[i] + gap);
    }
    line(titles);
    line(rules);
    for (const detail::scenario_row& row : drawn.rows) {
        std::string cells;
        for (std::size_t i = 0; i < widths.size(); ++i)
            cells += padded(i == row.column ? row.call : "", widths[i] + gap);
        line(cells + row.note);
    }
    return text;
}

}  // namespace wedge::report
