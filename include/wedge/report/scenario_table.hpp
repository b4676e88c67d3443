// The picture of a hang in text: one column a task, time running downwards.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "wedge/report/words.hpp"

namespace wedge::report {

/// A step as its caller wrote it: `lock(a)`, `try_lock_shared(b)`.
inline std::string call_of(const lock_use& lock, const lock_names& name) {
    const std::string tried = has(lock.with, flags::tried) ? "try_" : "";
    const std::string shared = is_shared(lock.how) ? "_shared" : "";
    return tried + "lock" + shared + "(" + name(lock) + ")";
}

/// The tasks that close a cycle, one an edge. Two edges that one task was seen to make need two
/// tasks to hang, so a second `fault` is called `fault'`: another task in the same code.
inline std::vector<std::string> actors_of(const std::vector<dependency>& cycle) {
    std::vector<std::string> actors;
    const auto add = [&](const dependency& edge) {
        std::string actor = edge.task.empty() ? "task" : edge.task;
        while (std::find(actors.begin(), actors.end(), actor) != actors.end()) actor += '\'';
        actors.push_back(actor);
    };
    for (const dependency& edge : cycle) add(edge);
    // A class inside itself: two tasks hang with the two locks exchanged.
    if (cycle.size() == 1 && cycle[0].held.instance != cycle[0].wanted.instance) add(cycle[0]);
    return actors;
}

namespace detail {

struct scenario_row {
    std::size_t column;
    std::string call;
    std::string note;  // why it does not go on
};

struct scenario {
    std::vector<std::string> actors;
    std::vector<scenario_row> rows;
};

inline scenario scenario_of(const std::vector<dependency>& cycle, const lock_names& name) {
    scenario result{actors_of(cycle), {}};
    const std::vector<std::string>& actors = result.actors;
    if (cycle.size() == 1) {
        const std::string outer = call_of(cycle[0].held, name);
        const std::string inner = call_of(cycle[0].wanted, name);
        if (actors.size() == 1)
            result.rows = {{0, outer, ""}, {0, inner, "waits for itself"}};
        else
            result.rows = {{0, outer, ""},
                           {1, inner, ""},
                           {1, outer, "waits for " + actors[0]},
                           {0, inner, "waits for " + actors[1]}};
        return result;
    }
    for (std::size_t i = 0; i < cycle.size(); ++i)
        result.rows.push_back({i, call_of(cycle[i].held, name), ""});
    for (std::size_t i = cycle.size(); i-- > 0;)
        result.rows.push_back(
            {i, call_of(cycle[i].wanted, name), "waits for " + actors[(i + 1) % actors.size()]});
    return result;
}

}  // namespace detail

/// Draws how a cycle hangs, every line behind `indent`; a list where the table would be wider
/// than a terminal.
inline std::string scenario_table(const std::vector<dependency>& cycle, const lock_names& name,
                                  const std::string& indent) {
    constexpr std::size_t width_max = 100;  // the notes included
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
