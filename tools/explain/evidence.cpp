#include "explain/evidence.hpp"

#include <algorithm>
#include <cstdio>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "explain/matching.hpp"

namespace wedge::explain {
namespace {

using ids = std::vector<std::uint32_t>;
using nlohmann::ordered_json;

constexpr std::size_t drawn_limit = 60;  // of classes: a larger picture shows nothing

bool is_word_character(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// Whether `part` is in `name` and its ends are ends of words.
bool has_words(std::string_view name, std::string_view part) {
    for (std::size_t at = name.find(part); at != name.npos; at = name.find(part, at + 1)) {
        const std::size_t end = at + part.size();
        const bool begins =
            at == 0 || !is_word_character(name[at - 1]) || !is_word_character(part.front());
        const bool ends =
            end == name.size() || !is_word_character(name[end]) || !is_word_character(part.back());
        if (begins && ends) return true;
    }
    return false;
}

std::string count_of(std::uint64_t n, const char* what, const char* many = nullptr) {
    std::string text = std::to_string(n) + " " + what;
    if (n != 1) text = many != nullptr ? std::to_string(n) + " " + many : text + "s";
    return text;
}

/// Milliseconds with three decimals.
std::string duration(std::uint64_t ns) {
    char text[40];
    std::snprintf(text, sizeof text, "%.3f ms", static_cast<double>(ns) / 1e6);
    return text;
}

/// A dependency as a line: from, to, how often and where first.
std::string edge_line(const lock_graph& order, std::uint32_t from, std::uint32_t to) {
    std::string text = order.at(from).name + " -> " + order.at(to).name;
    const observed_edge* const edge = order.edge(from, to);
    if (edge == nullptr) return text;
    std::string how;
    if (edge->modes == read_then_read) how = "reader, reader";
    if (edge->modes == write_then_read) how = "writer, reader";
    if (edge->modes == read_then_write) how = "reader, writer";
    if (edge->count > 0) how += (how.empty() ? "" : "; ") + std::to_string(edge->count) + "x";
    if (!edge->where.empty()) how += (how.empty() ? "" : ", first ") + ("by " + edge->where);
    return how.empty() ? text : text + "   (" + how + ")";
}

std::string path_text(const lock_graph& order, const ids& path, const char* indent) {
    std::string text;
    for (std::size_t i = 0; i + 1 < path.size(); ++i)
        text += indent + edge_line(order, path[i], path[i + 1]) + "\n";
    return text;
}

/// Whether a class is on a cycle because several classes of the kernel have its name.
bool is_name_shared(const lock_graph& order, const order_cycle& cycle) {
    return std::any_of(cycle.classes.begin(), cycle.classes.end(),
                       [&](std::uint32_t each) { return order.at(each).is_name_shared; });
}

std::string cycle_text(const observations& seen, const order_cycle& cycle) {
    const lock_graph& order = seen.order;
    std::string text = "cycle: ";
    for (const std::uint32_t each : cycle.classes) text += order.at(each).name + " -> ";
    text += order.at(cycle.classes.front()).name + "\n";
    ids path = cycle.classes;
    path.push_back(path.front());
    text += path_text(order, path, "    ");
    if (cycle.needs_writer)
        text += "    Readers meet in it: it blocks only if a writer waits between them.\n";
    if (is_name_shared(order, cycle))
        text +=
            "    Several classes have one of these names; the trace does not tell them apart.\n";
    if (!seen.has_modes)
        text +=
            "    A dump does not say which acquires only read or only try, so it may be unable to "
            "block.\n";
    return text;
}

/// The names between `->`.
std::vector<std::string> names_of(std::string_view order) {
    std::vector<std::string> names;
    while (true) {
        // `&mm->mmap_lock` has an arrow too; those of the order stand between spaces.
        const std::size_t arrow = order.find(" -> ");
        const std::string_view name = trimmed(order.substr(0, arrow));
        if (!name.empty()) names.emplace_back(name);
        if (arrow == order.npos) return names;
        order = order.substr(arrow + 4);
    }
}

/// A path that leads against a stated order.
struct broken_order {
    std::string first;  ///< by the order
    std::string second;
    ids path;  ///< from a class of `second` to one of `first`
};

struct order_check {
    std::vector<std::string> unknown;
    std::vector<broken_order> broken;
    std::size_t checked = 0;  ///< pairs
};

order_check check_order(const lock_graph& order, std::string_view stated) {
    order_check made;
    const std::vector<std::string> names = names_of(stated);
    std::vector<ids> groups;
    for (const std::string& name : names) {
        groups.push_back(classes_named(order, name));
        if (groups.back().empty()) made.unknown.push_back(name);
    }
    if (!made.unknown.empty()) return made;
    for (std::size_t second = 1; second < groups.size(); ++second) {
        for (std::size_t first = 0; first < second; ++first) {
            // A path over a third class of the order breaks it there as well.
            ids others;
            for (std::size_t i = 0; i < groups.size(); ++i)
                if (i != first && i != second)
                    others.insert(others.end(), groups[i].begin(), groups[i].end());
            ++made.checked;
            ids path = order.path(groups[second], groups[first], others);
            if (!path.empty())
                made.broken.push_back({names[first], names[second], std::move(path)});
        }
    }
    return made;
}

void tell_order(const observations& seen, const evidence_options& options, evidence& made) {
    if (options.order.empty()) return;
    const order_check checked = check_order(seen.order, options.order);
    made.unknown.insert(made.unknown.end(), checked.unknown.begin(), checked.unknown.end());
    if (!checked.unknown.empty()) return;
    if (checked.broken.empty())
        made.text += "the order " + options.order + " holds: no path leads against it\n";
    for (const broken_order& each : checked.broken) {
        made.has_findings = true;
        made.text +=
            "against the order: " + each.first + " should come before " + each.second + "\n";
        made.text += path_text(seen.order, each.path, "    ");
    }
}

void tell_cycles(const observations& seen, const evidence_options& options, evidence& made) {
    const std::vector<order_cycle> cycles = seen.order.cycles(options.most + 1);
    for (std::size_t i = 0; i < std::min(cycles.size(), options.most); ++i)
        made.text += cycle_text(seen, cycles[i]);
    if (cycles.size() > options.most) made.text += "more cycles are not listed\n";
    if (cycles.empty() && seen.order.edges() > 0) made.text += "no cycle\n";
    made.has_findings = made.has_findings || !cycles.empty();
}

void tell_hangs(const observations& seen, evidence& made) {
    for (const report& hang : seen.hangs) {
        made.has_findings = true;
        made.text += hang.edges.size() == 1 ? "a task waits for itself when the trace ends:\n"
                                            : "tasks wait for each other when the trace ends:\n";
        for (const cycle_edge& edge : hang.edges)
            made.text +=
                "    " + edge.task + " holds " + edge.from + " and waits for " + edge.to + "\n";
    }
}

void tell_contended(const observations& seen, const evidence_options& options, evidence& made) {
    std::vector<const contended_lock*> all;
    for (const contended_lock& each : seen.contended)
        if (each.waits > 0) all.push_back(&each);
    if (all.empty()) return;
    std::stable_sort(all.begin(), all.end(), [](const contended_lock* a, const contended_lock* b) {
        return a->total_ns > b->total_ns;
    });
    made.text += "the longest waits:\n";
    for (std::size_t i = 0; i < std::min(all.size(), options.most); ++i) {
        made.text += "    " + all[i]->name + "   " + count_of(all[i]->waits, "wait") + ", " +
                     duration(all[i]->total_ns) + ", the longest " + duration(all[i]->longest_ns) +
                     "\n";
        for (std::size_t k = 0; k < std::min<std::size_t>(all[i]->at.size(), 3); ++k)
            made.text += "        at " + all[i]->at[k] + "\n";
    }
}

/// What is at most so many steps before or behind some classes.
struct neighbourhood {
    std::set<std::uint32_t> classes;
    std::set<std::pair<std::uint32_t, std::uint32_t>> edges;  ///< on the way there
};

neighbourhood near(const lock_graph& order, const ids& from, std::uint32_t depth) {
    std::vector<ids> back(order.classes().size());
    for (std::uint32_t i = 0; i < order.classes().size(); ++i)
        for (const observed_edge& edge : order.at(i).next) back[edge.to].push_back(i);
    neighbourhood found;
    found.classes.insert(from.begin(), from.end());
    // Before and behind apart: two classes with a common successor are not near each other.
    for (const bool is_forward : {true, false}) {
        std::set<std::uint32_t> seen(from.begin(), from.end());
        ids frontier = from;
        for (std::uint32_t step = 0; step < depth && !frontier.empty(); ++step) {
            ids next;
            const auto visit = [&](std::uint32_t at, std::uint32_t to) {
                found.edges.emplace(is_forward ? at : to, is_forward ? to : at);
                if (seen.insert(to).second) next.push_back(to);
            };
            for (const std::uint32_t each : frontier) {
                if (is_forward)
                    for (const observed_edge& edge : order.at(each).next) visit(each, edge.to);
                else
                    for (const std::uint32_t to : back[each]) visit(each, to);
            }
            frontier = std::move(next);
        }
        found.classes.insert(seen.begin(), seen.end());
    }
    return found;
}

void tell_around(const observations& seen, const evidence_options& options, evidence& made) {
    if (options.around.empty()) return;
    const ids centre = classes_named(seen.order, options.around);
    if (centre.empty()) {
        made.unknown.push_back(options.around);
        return;
    }
    const neighbourhood shown = near(seen.order, centre, options.depth);
    made.text += "around " + options.around + ": " +
                 count_of(shown.classes.size(), "class", "classes") + "\n";
    for (const auto& [from, to] : shown.edges)
        made.text += "    " + edge_line(seen.order, from, to) + "\n";
}

void tell_notes(const observations& seen, evidence& made) {
    for (const std::string& note : seen.notes) made.text += "note: " + note + "\n";
    if (seen.order.left_out() > 0)
        made.text += "note: there are too many classes or dependencies; " +
                     count_of(seen.order.left_out(), "sight") + " left out.\n";
}

/// What one set of traces has and another one has not, by the names of the classes.
struct trace_change {
    std::vector<std::string> added_classes;
    std::vector<std::string> removed_classes;
    std::vector<std::pair<std::string, std::string>> added_edges;
    std::vector<std::pair<std::string, std::string>> removed_edges;
    std::vector<order_cycle> new_cycles;  ///< of the later traces
};

/// The dependencies by the names of their classes.
std::set<std::pair<std::string_view, std::string_view>> edges_by_name(const lock_graph& order) {
    std::set<std::pair<std::string_view, std::string_view>> all;
    for (const observed_class& from : order.classes())
        for (const observed_edge& edge : from.next) all.emplace(from.name, order.at(edge.to).name);
    return all;
}

/// A cycle as the set of its names.
std::set<std::string> names_in(const lock_graph& order, const order_cycle& cycle) {
    std::set<std::string> names;
    for (const std::uint32_t each : cycle.classes) names.insert(order.at(each).name);
    return names;
}

trace_change change_of(const observations& before, const observations& after) {
    trace_change made;
    const auto classes = [](const lock_graph& in, const lock_graph& not_in) {
        std::vector<std::string> names;
        for (const observed_class& each : in.classes())
            if (not_in.find(each.name) == lock_graph::none) names.push_back(each.name);
        return names;
    };
    made.added_classes = classes(after.order, before.order);
    made.removed_classes = classes(before.order, after.order);
    const auto old_edges = edges_by_name(before.order);
    const auto new_edges = edges_by_name(after.order);
    const auto edges = [](const auto& in, const auto& not_in) {
        std::vector<std::pair<std::string, std::string>> all;
        for (const auto& [from, to] : in)
            if (!not_in.contains({from, to})) all.emplace_back(from, to);
        return all;
    };
    made.added_edges = edges(new_edges, old_edges);
    made.removed_edges = edges(old_edges, new_edges);
    constexpr std::size_t most = 1000;
    std::set<std::set<std::string>> known;
    for (const order_cycle& each : before.order.cycles(most))
        known.insert(names_in(before.order, each));
    for (order_cycle& each : after.order.cycles(most))
        if (!known.contains(names_in(after.order, each)))
            made.new_cycles.push_back(std::move(each));
    return made;
}

ordered_json head_of(const char* kind, const std::string& title) {
    return {{"schema", 1}, {"command", "explain"}, {"kind", kind}, {"file", title}};
}

std::string line_of(const ordered_json& made) {
    return made.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::vector<std::string> names_of(const lock_graph& order, const ids& all) {
    std::vector<std::string> names;
    for (const std::uint32_t each : all) names.push_back(order.at(each).name);
    return names;
}

/// Returns a finding about locks in the order of a cycle or of a path, as all commands print it.
///
/// @param verdict  null: a trace alone does not decide whether it can hang
ordered_json finding_of(const char* kind, const std::vector<std::string>& locks,
                        const char* verdict) {
    std::string what;
    std::string signature = kind;
    for (const std::string& each : locks) {
        what += (what.empty() ? "" : " -> ") + each;
        signature += " " + each;
    }
    if (!locks.empty() && std::string_view(kind) != "against-order") what += " -> " + locks.front();
    ordered_json made = {
        {"kind", kind}, {"what", what}, {"classes", locks}, {"signature", signature}};
    made["verdict"] = verdict == nullptr ? ordered_json() : ordered_json(verdict);
    return made;
}

void write_cycles(ordered_json& into, ordered_json& findings, const lock_graph& order,
                  const std::vector<order_cycle>& cycles) {
    into = ordered_json::array();
    for (const order_cycle& each : cycles) {
        const std::vector<std::string> locks = names_of(order, each.classes);
        into.push_back({{"cycle_locks", locks}, {"needs_writer", each.needs_writer}});
        findings.push_back(finding_of("circular", locks, nullptr));
    }
}

void write_against(ordered_json& into, ordered_json& findings, const lock_graph& order,
                   const evidence_options& options) {
    ordered_json& against = into["against_order"];
    against = ordered_json::array();
    for (const broken_order& each : check_order(order, options.order).broken) {
        against.push_back(names_of(order, each.path));
        findings.push_back(finding_of("against-order", names_of(order, each.path), nullptr));
    }
}

std::string label_of(std::string_view text) {
    std::string made = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') made += '\\';
        if (static_cast<unsigned char>(c) >= 0x20) made += c;
    }
    return made + "\"";
}

}  // namespace

std::vector<std::uint32_t> classes_named(const lock_graph& order, std::string_view name) {
    if (const std::uint32_t exact = order.find(name); exact != lock_graph::none) return {exact};
    ids found;
    if (name.empty()) return found;
    for (std::uint32_t i = 0; i < order.classes().size(); ++i)
        if (has_words(order.at(i).name, name)) found.push_back(i);
    return found;
}

evidence tell(const observations& seen, const std::string& title, const evidence_options& options) {
    evidence made;
    made.text = title + ": " + count_of(seen.order.classes().size(), "lock class", "lock classes") +
                ", " + count_of(seen.order.edges(), "dependency", "dependencies");
    if (seen.events > 0) made.text += ", from " + count_of(seen.events, "event");
    if (seen.chains > 0) made.text += ", from " + count_of(seen.chains, "chain");
    made.text += "\n";
    tell_hangs(seen, made);
    tell_cycles(seen, options, made);
    tell_order(seen, options, made);
    tell_around(seen, options, made);
    if (options.around.empty() && options.order.empty()) tell_contended(seen, options, made);
    tell_notes(seen, made);
    return made;
}

evidence compare(const observations& before, const observations& after,
                 const evidence_options& options) {
    evidence made;
    const std::size_t most = options.most * 10;
    const auto list = [&](const char* what, const std::vector<std::string>& names) {
        if (names.empty()) return;
        made.text += std::string(what) + ": " + std::to_string(names.size()) + "\n";
        for (std::size_t i = 0; i < std::min(names.size(), most); ++i)
            made.text += "    " + names[i] + "\n";
        if (names.size() > most)
            made.text += "    and " + std::to_string(names.size() - most) + " more\n";
    };
    const auto arrows = [](const std::vector<std::pair<std::string, std::string>>& edges) {
        std::vector<std::string> names;
        for (const auto& [from, to] : edges) names.push_back(from + " -> " + to);
        return names;
    };
    const trace_change changed = change_of(before, after);
    list("added classes", changed.added_classes);
    list("removed classes", changed.removed_classes);
    list("added dependencies", arrows(changed.added_edges));
    list("removed dependencies", arrows(changed.removed_edges));
    made.has_findings = !changed.new_cycles.empty();
    for (std::size_t i = 0; i < std::min(changed.new_cycles.size(), options.most); ++i)
        made.text += "new " + cycle_text(after, changed.new_cycles[i]);
    if (made.text.empty()) made.text = "the same classes and dependencies\n";
    tell_order(after, options, made);
    tell_around(after, options, made);
    tell_notes(after, made);
    return made;
}

std::string dot_of(const observations& seen, const evidence_options& options) {
    const lock_graph& order = seen.order;
    std::set<std::pair<std::uint32_t, std::uint32_t>> red;
    std::set<std::uint32_t> shown;
    for (const order_cycle& cycle : order.cycles(options.most))
        for (std::size_t i = 0; i < cycle.classes.size(); ++i)
            red.emplace(cycle.classes[i], cycle.classes[(i + 1) % cycle.classes.size()]);
    for (const auto& [from, to] : red) shown.insert({from, to});
    neighbourhood around;
    if (!options.around.empty()) {
        around = near(order, classes_named(order, options.around), options.depth);
        shown = around.classes;
    } else {
        std::vector<std::size_t> degree(order.classes().size(), 0);
        ids all;
        for (std::uint32_t i = 0; i < order.classes().size(); ++i) {
            all.push_back(i);
            degree[i] += order.at(i).next.size();
            for (const observed_edge& edge : order.at(i).next) ++degree[edge.to];
        }
        std::stable_sort(all.begin(), all.end(),
                         [&](std::uint32_t a, std::uint32_t b) { return degree[a] > degree[b]; });
        for (const std::uint32_t each : all)
            if (shown.size() < drawn_limit && degree[each] > 0) shown.insert(each);
    }
    std::string text = "digraph lock_order {\n  node [shape=box, fontname=\"sans-serif\"];\n";
    if (shown.size() < order.classes().size())
        text += "  label=\"" + std::to_string(shown.size()) + " of " +
                std::to_string(order.classes().size()) + " classes\";\n";
    for (const std::uint32_t each : shown)
        text += "  n" + std::to_string(each) + " [label=" + label_of(order.at(each).name) + "];\n";
    for (const std::uint32_t from : shown)
        for (const observed_edge& edge : order.at(from).next)
            if (shown.contains(edge.to) &&
                (options.around.empty() || around.edges.contains({from, edge.to})))
                text += "  n" + std::to_string(from) + " -> n" + std::to_string(edge.to) +
                        (red.contains({from, edge.to}) ? " [color=red, penwidth=2];\n" : ";\n");
    return text + "}\n";
}

std::string json_of(const observations& seen, const std::string& title,
                    const evidence_options& options) {
    const lock_graph& order = seen.order;
    ordered_json made = head_of("order", title);
    made["classes"] = order.classes().size();
    made["dependencies"] = order.edges();
    ordered_json findings = ordered_json::array();
    write_cycles(made["cycles"], findings, order, order.cycles(options.most));
    write_against(made, findings, order, options);
    made["hung"] = ordered_json::array();
    for (const report& each : seen.hangs) {
        ordered_json hang = ordered_json::array();
        std::vector<std::string> locks;
        for (const cycle_edge& edge : each.edges) {
            made["hung"].push_back(
                {{"task", edge.task}, {"holds", edge.from}, {"waits_for", edge.to}});
            hang.push_back(made["hung"].back());
            hang.back()["at"] = "";
            locks.push_back(edge.to);
        }
        findings.push_back(finding_of("deadlock", locks, "observed"));
        findings.back()["hang"] = std::move(hang);
    }
    if (!options.around.empty()) {
        const neighbourhood shown =
            near(order, classes_named(order, options.around), options.depth);
        ordered_json& around = made["around"];
        around = {{"class", options.around},
                  {"depth", options.depth},
                  {"classes", names_of(order, ids(shown.classes.begin(), shown.classes.end()))},
                  {"dependencies", ordered_json::array()}};
        for (const auto& [from, to] : shown.edges)
            around["dependencies"].push_back({order.at(from).name, order.at(to).name});
    }
    made["findings"] = std::move(findings);
    return line_of(made);
}

std::string json_of_change(const observations& before, const observations& after,
                           const std::string& title, const evidence_options& options) {
    ordered_json made = head_of("compare", title);
    const trace_change changed = change_of(before, after);
    made["added_classes"] = changed.added_classes;
    made["removed_classes"] = changed.removed_classes;
    made["added_dependencies"] = changed.added_edges;
    made["removed_dependencies"] = changed.removed_edges;
    ordered_json findings = ordered_json::array();
    write_cycles(made["new_cycles"], findings, after.order, changed.new_cycles);
    write_against(made, findings, after.order, options);
    made["findings"] = std::move(findings);
    return line_of(made);
}

}  // namespace wedge::explain
