// The summary of a stress run: as tables for people, and as JSON.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "wedge/report/json.hpp"
#include "wedge/report/text.hpp"
#include "wedge/stress/options.hpp"

namespace wedge {

/// Cells in aligned columns: the first one to the left, the others to the right.
class text_table {
public:
    explicit text_table(std::vector<std::string> heads) { add(std::move(heads)); }
    void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

    /// Returns the lines; nothing if there is no row below the heads.
    std::string text() const {
        if (rows_.size() < 2) return {};
        std::vector<std::size_t> widths;
        for (const auto& row : rows_)
            for (std::size_t i = 0; i < row.size(); ++i) {
                if (i == widths.size()) widths.push_back(0);
                widths[i] = std::max(widths[i], row[i].size());
            }
        std::string all;
        for (const auto& row : rows_) {
            std::string line = "  " + report::padded(row[0], widths[0]);
            for (std::size_t i = 1; i < row.size(); ++i)
                line += "  " + std::string(widths[i] - row[i].size(), ' ') + row[i];
            all += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
        }
        return all + "\n";
    }

private:
    std::vector<std::vector<std::string>> rows_;
};

namespace report {

/// Returns `12.3 us`, with three digits.
inline std::string time_text(std::chrono::nanoseconds time) {
    constexpr std::pair<const char*, double> units[] = {
        {"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
    const auto value = static_cast<double>(time.count());
    std::size_t unit = 0;
    while (unit + 1 < std::size(units) && value >= 999.5 * units[unit].second) ++unit;
    const double shown = value / units[unit].second;
    char text[32];
    std::snprintf(text, sizeof text, "%.*f %s",
                  unit == 0 || shown >= 99.95 ? 0
                  : shown >= 9.995            ? 1
                                              : 2,
                  shown, units[unit].first);
    return text;
}
/// Returns `1234567` as `1,234,567`.
inline std::string number_text(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
    return text;
}

inline void add_percentiles(std::vector<std::string>& cells, const histogram& of) {
    if (of.count() == 0) return cells.insert(cells.end(), 4, "-"), void();
    for (const double percent : {50.0, 99.0, 99.9})
        cells.push_back(time_text(of.percentile(percent)));
    cells.push_back(time_text(of.max()));
}

inline std::string action_table(const stress_outcome& all) {
    text_table table({"action", "calls", "p50", "p99", "p99.9", "max"});
    for (const action_usage& each : all.actions) {
        std::vector<std::string> cells{each.name, number_text(each.latencies.count())};
        add_percentiles(cells, each.latencies);
        table.add(std::move(cells));
    }
    return table.text();
}

inline std::vector<std::string> usage_heads(const char* first) {
    return {first,   "acquired", "contended", "tried", "failed", "wait p50", "p99",
            "p99.9", "max",      "hold p50",  "p99",   "p99.9",  "max"};
}
inline void add_usage(text_table& table, const std::string& name, const lock_usage& of) {
    std::vector<std::string> cells{name, number_text(of.acquired), number_text(of.contended),
                                   number_text(of.tried), number_text(of.failed)};
    add_percentiles(cells, of.waits);
    add_percentiles(cells, of.holds);
    table.add(std::move(cells));
}

/// @param sites_max  how many call sites are shown, those that waited longest
inline std::string lock_tables(const stress_outcome& all, std::size_t sites_max) {
    text_table classes(usage_heads("lock class"));
    for (const lock_statistics::row& each : all.locks.rows())
        add_usage(classes, each.name, each.counted);
    text_table sites(usage_heads("call site"));
    for (const lock_statistics::row& each : all.locks.sites()) {
        if (sites_max-- == 0) break;
        add_usage(sites, each.name + " " + to_string(each.where), each.counted);
    }
    text_table over({"held", "over", "times", "total", "max"});
    for (const lock_statistics::over_row& each : all.locks.held_over_rows())
        over.add({each.held, each.over, number_text(each.counted.times),
                  time_text(each.counted.sum), time_text(each.counted.max)});
    return classes.text() + sites.text() + over.text();
}

inline std::string interval_table(const stress_outcome& all) {
    text_table table({"until", "phase", "calls/s"});
    std::chrono::milliseconds before{0};
    for (const stress_interval& each : all.intervals) {
        const auto length = std::max<std::int64_t>((each.end - before).count(), 1);
        before = each.end;
        table.add({time_text(each.end), name_of(each.phase),
                   number_text(each.calls * 1000 / static_cast<std::uint64_t>(length))});
    }
    return table.text();
}

/// Returns the lines on fairness, the longest wait and memory.
inline std::string balance_text(const stress_outcome& all) {
    std::string text;
    char number[64];
    if (all.calls_by_thread.size() > 1) {
        const auto [least, most] =
            std::minmax_element(all.calls_by_thread.begin(), all.calls_by_thread.end());
        std::snprintf(number, sizeof number, "%.3f", all.fairness());
        text += "  fairness " + std::string(number) + ": " + number_text(*least) + " to " +
                number_text(*most) + " calls per thread\n";
    }
    const lock_statistics::row* longest = nullptr;
    const std::vector<lock_statistics::row> sites = all.locks.sites();
    for (const lock_statistics::row& each : sites)
        if (longest == nullptr || each.counted.waits.max() > longest->counted.waits.max())
            longest = &each;
    if (longest != nullptr)
        text += "  longest wait " + time_text(longest->counted.waits.max()) + " for " +
                longest->name + " at " + to_string(longest->where) + "\n";
    return text + "  memory " + number_text(all.rss_first) + " KiB at the start, " +
           number_text(all.rss_max) + " at most, " + number_text(all.rss_last) + " at the end\n";
}

/// Returns the stacks of the threads of a wedged run.
inline std::string stack_text(const stress_outcome& all) {
    constexpr std::size_t width = 110;  // names of templates are long
    std::string text;
    for (const auto& [name, calls] : all.stacks) {
        text += "  stack of " + name + "\n";
        for (const std::string& each : calls)
            text += "    " + (each.size() > width ? each.substr(0, width) + "…" : each) + "\n";
    }
    return text.empty() ? text : text + "\n";
}

/// Returns `wedged`, `clean`, `2 findings`.
inline std::string stress_result(const stress_outcome& all) {
    const bool is_clean = all.what.findings.empty();
    std::string text = all.is_wedged ? "wedged"
                       : is_clean    ? "clean"
                                     : counted(all.what.findings.size(), "finding");
    if (all.is_cut) text += " so far (cut)";
    return text;
}

inline std::string stress_headline(const std::string& name, const stress_outcome& all) {
    return name + ": " + stress_result(all) + ", " + number_text(all.calls) + " calls by " +
           counted(all.calls_by_thread.size(), "thread") + " in " + time_text(all.elapsed) + ": " +
           number_text(static_cast<std::uint64_t>(all.calls_per_second())) + " calls/s";
}

inline void write_times(json_writer& json, const histogram& of) {
    const auto number = [](std::chrono::nanoseconds time) {
        return static_cast<std::uint64_t>(time.count());
    };
    json.begin('{').key("count").value(of.count());
    json.key("mean").value(number(of.mean()));
    json.key("p50").value(number(of.percentile(50)));
    json.key("p99").value(number(of.percentile(99)));
    json.key("p99.9").value(number(of.percentile(99.9)));
    json.key("max").value(number(of.max())).key("log2").begin('[');
    for (const std::uint64_t each : of.by_power()) json.value(each);
    json.end(']').end('}');
}
inline void write_usage(json_writer& json, const lock_statistics::row& of) {
    json.begin('{').key("class").value(of.name);
    if (of.where.is_known()) json.key("site").value(to_string(of.where));
    json.key("acquired").value(of.counted.acquired);
    json.key("contended").value(of.counted.contended);
    json.key("tried").value(of.counted.tried).key("failed").value(of.counted.failed);
    json.key("wait_ns");
    write_times(json, of.counted.waits);
    json.key("hold_ns");
    write_times(json, of.counted.holds);
    json.end('}');
}

/// Returns one JSON object on one line, with the line's end. Times are in nanoseconds.
///
/// @param expected  what the workload states that it comes to; empty: nothing
inline std::string stress_json(const std::string& name, const stress_outcome& all,
                               const std::string& expected, bool is_met) {
    json_writer json;
    begin_json(json, "stress")
        .key("workload")
        .value(name)
        .key("outcome")
        .value(name_of(all.what.what));
    if (!expected.empty())
        json.key("expected").list(std::vector{expected}).key("met").value(is_met);
    json.key("wedged").value(all.is_wedged).key("cut").value(all.is_cut);
    json.key("threads").value(std::uint64_t{all.calls_by_thread.size()});
    json.key("milliseconds").value(static_cast<std::uint64_t>(all.elapsed.count()));
    json.key("calls").value(all.calls);
    json.key("calls_per_second").value(static_cast<std::uint64_t>(all.calls_per_second()));
    json.key("fairness_percent").value(static_cast<std::uint64_t>(all.fairness() * 100));
    json.key("findings").begin('[');
    const findings_by_cause grouped(all.what.findings);
    for (std::size_t i = 0; i < all.what.findings.size(); ++i)
        begin_finding(json, all.what.findings[i], "", true, grouped.cause_of(i)).end('}');
    json.end(']');
    if (!all.is_wedged) write_lock_pairs(json, all.what.lock_pairs);
    json.key("actions").begin('[');
    for (const action_usage& each : all.actions) {
        json.begin('{').key("action").value(each.name).key("latency_ns");
        write_times(json, each.latencies);
        json.end('}');
    }
    json.end(']').key("classes").begin('[');
    for (const lock_statistics::row& each : all.locks.rows()) write_usage(json, each);
    json.end(']').key("sites").begin('[');
    for (const lock_statistics::row& each : all.locks.sites()) write_usage(json, each);
    json.end(']').key("held_over").begin('[');
    for (const lock_statistics::over_row& each : all.locks.held_over_rows()) {
        json.begin('{').key("held").value(each.held).key("over").value(each.over);
        json.key("times").value(each.counted.times);
        json.key("sum_ns").value(static_cast<std::uint64_t>(each.counted.sum.count()));
        json.key("max_ns").value(static_cast<std::uint64_t>(each.counted.max.count())).end('}');
    }
    json.end(']').key("intervals").begin('[');
    for (const stress_interval& each : all.intervals) {
        json.begin('{').key("until_ms").value(static_cast<std::uint64_t>(each.end.count()));
        json.key("phase").value(name_of(each.phase)).key("calls").value(each.calls).end('}');
    }
    json.end(']').key("calls_by_thread").begin('[');
    for (const std::uint64_t each : all.calls_by_thread) json.value(each);
    json.end(']').key("stacks").begin('[');
    for (const auto& [thread, calls] : all.stacks)
        json.begin('{').key("thread").value(thread).key("calls").list(calls).end('}');
    json.end(']').key("rss_kib").begin('{').key("first").value(all.rss_first);
    json.key("max").value(all.rss_max).key("last").value(all.rss_last).end('}');
    return json.end('}').text() + "\n";
}

/// Returns the table of a sweep over numbers of threads, with a bar for each speed.
inline std::string sweep_text(const std::string& name,
                              const std::vector<std::pair<unsigned, stress_outcome>>& runs) {
    if (runs.empty()) return {};
    double most = 1;
    for (const auto& [threads, all] : runs) most = std::max(most, all.calls_per_second());
    const double alone = runs.front().second.calls_per_second() / runs.front().first;
    text_table table({"threads", "calls/s", "speedup", "efficiency", "fairness", ""});
    for (const auto& [threads, all] : runs) {
        const double speed = all.calls_per_second();
        char cells[3][32];
        std::snprintf(cells[0], sizeof cells[0], "%.2f", alone == 0 ? 0 : speed / alone);
        std::snprintf(cells[1], sizeof cells[1], "%.0f %%",
                      alone == 0 ? 0 : 100 * speed / alone / threads);
        std::snprintf(cells[2], sizeof cells[2], "%.3f", all.fairness());
        const auto length = static_cast<std::size_t>(40 * speed / most + 0.5);
        table.add(
            {std::to_string(threads), number_text(static_cast<std::uint64_t>(speed)), cells[0],
             cells[1], cells[2],
             std::string(length, '#') + std::string(40 - std::min<std::size_t>(length, 40), ' ')});
    }
    return name + ": scaling\n\n" + table.text();
}

}  // namespace report

}  // namespace wedge
