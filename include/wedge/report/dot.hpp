// A finding as a picture: a digraph for Graphviz.
#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "wedge/report/scenario_table.hpp"
#include "wedge/report/words.hpp"

namespace wedge {

namespace report {

/// Returns text for an HTML-like label.
inline std::string escaped(std::string_view text) {
    std::string safe;
    for (const char c : text) {
        switch (c) {
            case '&': safe += "&amp;"; break;
            case '<': safe += "&lt;"; break;
            case '>': safe += "&gt;"; break;
            case '"': safe += "&quot;"; break;
            default: safe += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
        }
    }
    return safe;
}

/// Returns a name or a label in quotes. Line ends stay line ends.
inline std::string in_quotes(std::string_view text) {
    std::string safe = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') safe += '\\';
        if (c == '\n')
            safe += "\\n";
        else
            safe += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    return safe + "\"";
}

/// Returns a colour of the palette by Okabe and Ito, which colour-blind readers can tell apart.
inline const char* colour(std::size_t i) {
    constexpr const char* colours[] = {"#d55e00", "#0072b2", "#009e73",
                                       "#cc79a7", "#e69f00", "#56b4e9"};
    return colours[i % std::size(colours)];
}

/// Draws who waits for what: from a lock to the task that holds it, and from the task to the lock
/// that it wants, around the cycle.
///
/// A task is a box within its edge and not a label beside it: Graphviz lets the labels of edges
/// overlap, but never nodes.
class dot_printer {
public:
    explicit dot_printer(const finding& found)
        : found_(found), hang_(hang_of(found)), name_(found) {}

    std::string print() {
        text_ = "digraph finding {\n";
        line(std::string("graph [layout=") + (is_ring() ? "circo" : "dot") +
             ", rankdir=LR, bgcolor=white, pad=0.4, mindist=0.7, nodesep=0.5, ranksep=0.8,");
        line("       fontname=\"Helvetica\", labelloc=t, label=<" + title() + ">];");
        line("node [fontname=\"Helvetica\", fontsize=13, fontcolor=\"#222222\", penwidth=2];");
        line("edge [fontname=\"Helvetica\", fontsize=11, fontcolor=\"#555555\", penwidth=2];");
        if (hang_.is_circle)
            circle();
        else if (found_.is_stuck())
            waiting_tasks();
        else
            broken_rule();
        return text_ + "}\n";
    }

private:
    bool is_ring() const { return hang_.is_circle && hang_.links.size() > 1; }

    void line(const std::string& text) { text_ += "    " + text + "\n"; }

    std::string title() const {
        return "<B>" + escaped(heading_of(found_)) + "</B><BR/><FONT POINT-SIZE=\"12\">" +
               escaped(verdict_of(found_)) + "</FONT><BR/>" +
               (is_ring() ? "<FONT POINT-SIZE=\"11\" COLOR=\"#555555\">solid arrow: held by, "
                            "dashed arrow: waits for</FONT><BR/> "
                          : " ");
    }

    std::string id(const lock_use& lock) const { return in_quotes("lock " + name_(lock)); }

    void lock_node(const lock_use& lock) {
        line(id(lock) + " [shape=ellipse, style=filled, color=\"#444444\", fillcolor=\"#f3f3f3\"," +
             " fontsize=16, label=<<B>" + escaped(name_(lock)) + "</B>>];");
    }
    void task_node(const std::string& box, const char* shade, const std::string& name,
                   const std::vector<std::string>& lines) {
        std::string label = "<B>" + escaped(name) + "</B><BR/>";
        for (const std::string& one : lines)
            label += "<FONT POINT-SIZE=\"11\">" + escaped(one) + "</FONT><BR/>";
        line(box + " [shape=box, style=\"rounded,filled\", margin=\"0.2,0.1\", color=\"" + shade +
             "\", fillcolor=white, label=<" + label + ">];");
    }
    void arrow(const std::string& from, const std::string& to, const char* shade, bool waits) {
        // The layout of a ring puts labels on its lines, so it has a legend instead.
        const std::string label = is_ring() ? ""
                                  : waits   ? ", label=\" waits for \""
                                            : ", label=\" held by \"";
        line(from + " -> " + to + " [color=\"" + shade + "\"" + (waits ? ", style=dashed" : "") +
             label + "];");
    }
    std::string step(const char* verb, const lock_use& lock, const char* at) const {
        return std::string(verb) + name_(lock) + terms_of(lock) + at + to_string(lock.where);
    }

    void circle() {
        std::vector<std::string> drawn;  // each lock once
        const auto draw = [&](const lock_use& lock) {
            if (std::find(drawn.begin(), drawn.end(), id(lock)) != drawn.end()) return;
            drawn.push_back(id(lock));
            lock_node(lock);
        };
        const std::size_t n = hang_.links.size();
        for (std::size_t i = 0; i < n; ++i) {
            const hang_link& link = hang_.links[i];
            const std::string box = "task" + std::to_string(i);
            std::vector<std::string> lines;
            if (link.is_exchanged) lines.push_back("another task in the same code");
            if (link.is_primed) lines.push_back("stated by prime, not seen");
            const bool is_shown = !link.is_exchanged;
            if (is_shown && link.holds && !link.is_queued)
                lines.push_back(step("holds ", *link.holds, ", taken at "));
            if (is_shown && link.wanted)
                lines.push_back(
                    step(link.is_queued ? "queues first for " : "wants ", *link.wanted, " at "));
            if (!link.wanted) lines.push_back("waits at " + to_string(link.where));
            if (link.holds) draw(*link.holds);
            if (link.wanted) draw(*link.wanted);
            task_node(box, colour(i), link.task, lines);
            if (link.holds) arrow(id(*link.holds), box, colour(i), false);
            if (link.wanted)
                arrow(box, id(*link.wanted), colour(i), true);
            else
                arrow(box, "task" + std::to_string((i + 1) % n), colour(i), true);
        }
    }

    void waiting_tasks() {
        for (std::size_t i = 0; i < found_.tasks.size(); ++i) {
            const task_report& task = found_.tasks[i];
            const std::string box = "task" + std::to_string(i);
            std::vector<std::string> lines;
            for (const lock_use& lock : task.held)
                lines.push_back(step("holds ", lock, ", taken at "));
            if (task.wanted) lines.push_back(step("wants ", *task.wanted, " at "));
            if (!task.waits_for.empty()) lines.push_back("waits at " + to_string(task.where));
            if (!task.wanted && task.waits_for.empty())
                lines.push_back(task.where.line != 0 ? "goes on at " + to_string(task.where)
                                                     : "has ended");
            task_node(box, colour(i), task.name, lines);
            for (const lock_use& lock : task.held) {
                lock_node(lock);
                arrow(id(lock), box, colour(i), false);
            }
            if (task.wanted) {
                lock_node(*task.wanted);
                arrow(box, id(*task.wanted), colour(i), true);
            } else if (!task.waits_for.empty()) {
                line(in_quotes(task.waits_for) +
                     " [shape=hexagon, style=filled, color=\"#444444\", fillcolor=\"#f3f3f3\"];");
                arrow(box, in_quotes(task.waits_for), colour(i), true);
            }
        }
    }

    void broken_rule() {
        std::vector<std::string> lines;
        for (const lock_use& lock : found_.locks) lines.push_back(step("", lock, " at "));
        task_node("task0", colour(0), found_.task.empty() ? "task" : found_.task, lines);
        for (const lock_use& lock : found_.locks) {
            lock_node(lock);
            line("task0 -> " + id(lock) + " [color=\"" + colour(0) + "\"];");
        }
    }

    const finding& found_;
    const hang hang_;
    const lock_names name_;
    std::string text_;
};

}  // namespace report

/// Returns the picture of a finding as a Graphviz digraph, for `dot -Tsvg`. Equal findings give
/// equal bytes.
inline std::string dot_of(const finding& found) {
    return report::dot_printer(found).print();
}

}  // namespace wedge
