#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

#include "wedge/core/check.hpp"
#include "wedge/main/files.hpp"
#include "wedge/main/version.hpp"
#include "wedge/report/dot.hpp"

#include "nightly/child.hpp"
#include "report/formats.hpp"

namespace wedge::report_files {

extern const char* const page_template;  // page.html

namespace {

namespace fs = std::filesystem;
using nightly::text_in;

/// Draws a digraph by Graphviz.
///
/// @return the `<svg>` element; empty without Graphviz
std::string drawn(const std::string& dot) {
    if (dot.empty()) return {};
    const std::string file =
        (fs::temp_directory_path() / ("wedge-page-" + std::to_string(::getpid()) + ".dot"))
            .string();
    std::string svg;
    try {
        write_text(file, dot);
        const nightly::run_result ran =
            nightly::result_of({"dot", "-Tsvg", file}, std::chrono::seconds(60));
        const std::size_t from = ran.out.find("<svg");
        if (ran.how.status == 0 && from != std::string::npos) svg = ran.out.substr(from);
    } catch (const error&) {  // no Graphviz
    }
    std::error_code failed;
    fs::remove(file, failed);
    return svg;
}

/// The edges of the lock graph: who was held while who was wanted, and in which findings.
class seen_edges {
public:
    void add(const shown_finding& of, std::size_t index) {
        const bool is_refuted = text_in(of.shown, "verdict") == "refuted";
        if (const auto steps = of.shown.find("timeline"); steps != of.shown.end())
            add_steps((*steps)["steps"], index, is_refuted);
        if (const auto hang = of.shown.find("hang"); hang != of.shown.end() && hang->is_array())
            for (const json& link : *hang) {
                const std::string holds = text_in(link, "holds");
                const std::string wants = text_in(link, "waits_for");
                if (!holds.empty() && !wants.empty())
                    note(plain(holds), plain(wants), index, is_refuted, true);
            }
    }

    /// Adds the cycle of an order that was refuted.
    void add_refuted(const json& of) {
        const auto classes = of.find("classes");
        if (classes == of.end() || !classes->is_array() || classes->size() < 2) return;
        for (std::size_t i = 0; i < classes->size(); ++i) {
            const json& from = (*classes)[i];
            const json& to = (*classes)[(i + 1) % classes->size()];
            if (!from.is_string() || !to.is_string()) continue;
            edge& known = edges_[{plain(from.get<std::string>()), plain(to.get<std::string>())}];
            known.is_refuted = known.findings.empty();
            known.refuted.insert(text_in(of, "subject") + ": refuted: " + text_in(of, "what"));
        }
    }

    std::string dot(const std::vector<shown_finding>& findings) const {
        std::string text =
            "digraph locks {\n  rankdir=LR; nodesep=0.25; ranksep=0.6;\n"
            "  node [shape=box, style=rounded, fontname=\"sans-serif\", fontsize=11];\n";
        for (const auto& [ends, seen] : edges_) {
            std::string classes = "edge";
            for (const std::size_t each : seen.findings) classes += " f" + std::to_string(each);
            if (seen.is_refuted) classes += " refuted";
            text += "  " + report::in_quotes(ends.first) + " -> " + report::in_quotes(ends.second) +
                    " [class=\"" + classes + "\"";
            if (seen.cycle) text += ", penwidth=2, color=\"" + colour_of(*seen.cycle) + "\"";
            if (seen.is_refuted) text += ", style=dashed, color=\"#667085\"";
            text += ", tooltip=" + report::in_quotes(tooltip(seen, findings)) + "];\n";
        }
        return text + "}\n";
    }
    bool is_empty() const { return edges_.empty(); }

private:
    struct edge {
        std::set<std::size_t> findings;
        std::optional<std::size_t> cycle;  // the finding whose cycle it is in
        std::set<std::string> refuted;     // sentences about cycles that cannot deadlock
        bool is_refuted = false;           // nothing else has shown it
    };

    static std::string colour_of(std::size_t finding) { return report::colour(finding); }

    static std::string tooltip(const edge& of, const std::vector<shown_finding>& findings) {
        std::string text;
        for (const std::size_t each : of.findings)
            text += (text.empty() ? "" : "\n") + findings[each].subject + ": " +
                    text_in(findings[each].shown, "what");
        for (const std::string& each : of.refuted) text += (text.empty() ? "" : "\n") + each;
        return text;
    }

    /// Returns the class in `fork[2] (shared)`.
    static std::string plain(const std::string& lock) {
        return lock.substr(0, std::min(lock.find(" ("), lock.find('[')));
    }

    void add_steps(const json& steps, std::size_t index, bool is_refuted) {
        std::map<std::int64_t, std::vector<std::string>> held;
        for (const json& each : steps) {
            std::vector<std::string>& mine = held[each.value("task", std::int64_t{0})];
            const std::string does = text_in(each, "does");
            const std::string object = plain(text_in(each, "object"));
            // The innermost hold alone: the others lead to it, and would only fill the picture.
            if (does == "wants" && !mine.empty())
                note(mine.back(), object, index, is_refuted, false);
            if (does == "takes") mine.push_back(object);
            const auto last = std::find(mine.rbegin(), mine.rend(), object);
            if (does == "releases" && last != mine.rend()) mine.erase(std::next(last).base());
        }
    }

    void note(const std::string& from, const std::string& to, std::size_t index, bool is_refuted,
              bool is_cycle) {
        const auto [known, is_new] = edges_.try_emplace({from, to});
        known->second.findings.insert(index);
        known->second.is_refuted = is_new ? is_refuted : known->second.is_refuted && is_refuted;
        if (is_cycle && !known->second.cycle) known->second.cycle = index;
    }

    std::map<std::pair<std::string, std::string>, edge> edges_;
};

json shown_of(const shown_finding& of) {
    json made = of.shown;
    made.update(of.history);
    made["subject"] = of.subject;
    made["state"] = of.state;
    made["expected"] = of.is_expected;
    made["allowed"] = of.is_allowed;
    made["svg"] = drawn(text_in(of.shown, "dot"));
    made.erase("dot");
    return made;
}

}  // namespace

std::string html_of(const shown_run& all) {
    json data = {{"title", all.last_night.empty() ? "wedge report" : "wedge nightly"},
                 {"about", all.last_night},
                 {"made", std::string("Made by wedge ") + version},
                 {"findings", json::array()},
                 {"errors", all.errors},
                 {"files", all.files},
                 {"reach", all.reach},
                 {"nights", all.nights},
                 {"jobs", all.jobs},
                 {"growth", all.growth},
                 {"statistics", all.statistics},
                 {"graph", nullptr}};
    seen_edges edges;
    json names = json::array();
    for (std::size_t i = 0; i < all.findings.size(); ++i) {
        data["findings"].push_back(shown_of(all.findings[i]));
        edges.add(all.findings[i], i);
        const std::string what = text_in(all.findings[i].shown, "what");
        names.push_back({{"index", i}, {"name", all.findings[i].subject + ": " + what}});
    }
    for (const json& each : all.refuted) edges.add_refuted(each);
    if (!edges.is_empty())
        if (const std::string svg = drawn(edges.dot(all.findings)); !svg.empty())
            data["graph"] = {{"svg", svg}, {"findings", std::move(names)}};
    std::string text = data.dump(-1, ' ', false, json::error_handler_t::replace);
    // Within <script> only `</` and `<!--` mean something.
    for (std::size_t i = text.find('<'); i != std::string::npos; i = text.find('<', i + 6))
        text.replace(i, 1, "\\u003c");
    std::string page = page_template;
    constexpr std::string_view place = "%DATA%";
    return page.replace(page.find(place), place.size(), text);
}

}  // namespace wedge::report_files
