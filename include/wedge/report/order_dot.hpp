// The lock order as a picture: what is acquired while what is held, and which of it is a finding.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "wedge/core/lock_class.hpp"
#include "wedge/order/describe.hpp"
#include "wedge/report/dot.hpp"
#include "wedge/report/words.hpp"

namespace wedge {

/// The contents of a picture of a lock order.
struct order_picture {
    std::string title;
    std::vector<std::string> classes;  ///< drawn even without a neighbour
    std::vector<dependency> edges;     ///< edges of one pair of classes share an arrow
    std::vector<finding> findings;     ///< the arrows of a cycle are coloured, worst finding first
};

namespace report {

/// Draws classes as nodes. An arrow from a to b says that b was acquired while a was held. A box
/// within the arrow says where: Graphviz lets the labels of edges overlap, but never nodes.
class order_dot_printer {
public:
    explicit order_dot_printer(const order_picture& drawn) : drawn_(drawn) {
        for (const std::string& name : drawn.classes) add_node({{}, name});
        for (const dependency& edge : drawn.edges) add_edge(edge);
        // A cycle that hangs comes before one that may hang, and that before one that cannot.
        for (const verdict wanted :
             {verdict::confirmed, verdict::observed, verdict::unresolved, verdict::refuted})
            for (const finding& found : drawn.findings)
                if (found.judged == wanted) mark(found);
    }

    std::string print() const {
        std::string text = "digraph lock_order {\n";
        const auto line = [&](const std::string& one) { text += "    " + one + "\n"; };
        line("graph [rankdir=LR, bgcolor=white, pad=0.4, nodesep=0.35, ranksep=0.45,");
        line("       fontname=\"Helvetica\", labelloc=t, labeljust=l, label=<" + legend() + ">];");
        line("node [fontname=\"Helvetica\", fontsize=15, fontcolor=\"#222222\", style=filled,");
        line("      color=\"#444444\", fillcolor=\"#f3f3f3\", penwidth=1.5, margin=\"0.2,0.1\"];");
        for (const node& each : nodes_)
            line(in_quotes(each.name) + " [" + shape_of(each.is) + "];");
        for (std::size_t i = 0; i < arrows_.size(); ++i) {
            const arrow& each = arrows_[i];
            const std::string box = "at" + std::to_string(i);
            const std::string look =
                "color=\"" + each.shade + "\", penwidth=" + (each.shade == sound ? "1.5" : "2.5");
            const std::string half = look + (each.is_dashed ? ", style=dashed" : "");
            line(box + " [shape=box, style=\"rounded,filled\", fillcolor=white, fontsize=11, " +
                 look + ", label=" + in_quotes(label_of(each)) + "];");
            line(in_quotes(each.from) + " -> " + box + " [" + half + ", dir=none];");
            line(box + " -> " + in_quotes(each.to) + " [" + half + "];");
        }
        return text + "}\n";
    }

private:
    enum class sort { lock, pseudo, context };
    struct node {
        std::string name;
        sort is;
    };
    struct arrow {
        std::string from;
        std::string to;
        std::vector<std::string> sites;
        std::string shade = sound;
        bool is_dashed = false;
    };
    struct row {
        std::string shade;
        std::string sign;  // a bullet for a finding without an arrow of its own
        std::string text;
    };

    static constexpr const char* sound = "#777777";
    static constexpr const char* arrow_sign = "&#8594;";
    static constexpr std::size_t sites_max = 3;  // more lines make the picture unreadable

    static sort sort_of(const lock_use& use) {
        if (use.class_id == 0) return sort::lock;
        if (wedge::detail::is_context_class(use.class_id)) return sort::context;
        return lock_class::from_id(use.class_id).options().never_waits ? sort::pseudo : sort::lock;
    }
    static std::string shape_of(sort is) {
        switch (is) {
            case sort::pseudo: return "shape=octagon, style=\"filled,dashed\", fillcolor=white";
            case sort::context: return "shape=cds, fillcolor=\"#e8f1fa\"";
            case sort::lock: break;
        }
        return "shape=ellipse";
    }

    void add_node(const lock_use& use) {
        const auto known = std::find_if(nodes_.begin(), nodes_.end(), [&](const node& each) {
            return each.name == use.class_name;
        });
        if (known == nodes_.end())
            nodes_.push_back({use.class_name, sort_of(use)});
        else if (known->is == sort::lock)
            known->is = sort_of(use);
    }

    arrow& arrow_of(const dependency& edge) {
        for (arrow& each : arrows_)
            if (each.from == edge.held.class_name && each.to == edge.wanted.class_name) return each;
        add_node(edge.held);
        add_node(edge.wanted);
        arrows_.push_back({edge.held.class_name, edge.wanted.class_name, {}});
        return arrows_.back();
    }
    void add_edge(const dependency& edge) {
        const std::string site = site_of(edge);
        std::vector<std::string>& all = arrow_of(edge).sites;
        if (std::find(all.begin(), all.end(), site) == all.end()) all.push_back(site);
    }

    static std::string site_of(const dependency& edge) {
        const std::string whole = to_string(edge.wanted.where);
        const std::string at = whole.substr(whole.find_last_of('/') + 1);
        if (edge.primed) return "stated at " + at;
        return edge.task + " at " + at + terms_of(edge.wanted);
    }

    void mark(const finding& found) {
        const std::string shade = report::colour(rows_.size());
        row mine{"#222222", "&#8226;", heading_of(found)};
        for (const dependency& edge : cycle_of(found)) {
            arrow& drawn = arrow_of(edge);
            if (drawn.sites.empty()) drawn.sites.push_back(site_of(edge));
            if (drawn.shade != sound) continue;
            drawn.shade = shade;
            drawn.is_dashed = found.judged == verdict::refuted;
            mine.shade = shade;
            mine.sign = arrow_sign;
        }
        rows_.push_back(std::move(mine));
    }

    std::string legend() const {
        std::string text =
            "<TABLE BORDER=\"0\" CELLSPACING=\"2\"><TR><TD COLSPAN=\"2\" "
            "ALIGN=\"LEFT\"><B>" +
            escaped(drawn_.title) + "</B></TD></TR>";
        const auto add = [&](const std::string& shade, const std::string& sign,
                             const std::string& what) {
            text += "<TR><TD ALIGN=\"LEFT\"><FONT COLOR=\"" + shade + "\"><B>" + sign +
                    "</B></FONT></TD><TD ALIGN=\"LEFT\"><FONT POINT-SIZE=\"12\">" + escaped(what) +
                    "</FONT></TD></TR>";
        };
        for (const row& each : rows_) add(each.shade, each.sign, each.text);
        if (has([](const arrow& each) { return each.shade == sound; }))
            add(sound, arrow_sign, "acquired while the other is held; in no cycle");
        if (has([](const arrow& each) { return each.is_dashed; }))
            add("#222222", "- -", "dashed: refuted, it cannot hang");
        const auto add_sort = [&](sort wanted, const char* sign, const char* what) {
            const bool is_there = std::any_of(nodes_.begin(), nodes_.end(),
                                              [&](const node& each) { return each.is == wanted; });
            if (is_there) add("#444444", sign, what);
        };
        add_sort(sort::pseudo, "&#9711;", "dashed: a pseudo-lock, which orders and never waits");
        add_sort(sort::context, "&#9655;",
                 "an interrupt context: what it takes, and what it "
                 "finds held");
        return text + "</TABLE>";
    }
    template <class Claim>
    bool has(Claim claim) const {
        return std::any_of(arrows_.begin(), arrows_.end(), claim);
    }

    static std::string label_of(const arrow& each) {
        std::string label;
        for (std::size_t i = 0; i < std::min(each.sites.size(), sites_max); ++i)
            label += (i == 0 ? "" : "\n") + each.sites[i];
        if (each.sites.size() > sites_max)
            label += "\nand " + std::to_string(each.sites.size() - sites_max) + " more";
        return label;
    }

    const order_picture& drawn_;
    std::vector<node> nodes_;
    std::vector<arrow> arrows_;
    std::vector<row> rows_;
};

}  // namespace report

/// Returns the picture of a lock order as a Graphviz digraph. Equal orders give equal bytes.
inline std::string dot_of(const order_picture& drawn) {
    return report::order_dot_printer(drawn).print();
}

}  // namespace wedge
