#include "explain/lock_graph.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace wedge::explain {
namespace {

std::uint64_t key_of(std::uint32_t from, std::uint32_t to) {
    return (std::uint64_t{from} << 32) | to;
}

/// A graph as lists of successors.
using lock_links = std::vector<std::vector<std::uint32_t>>;

/// The component that each node belongs to, of those strongly connected (Tarjan, without
/// recursion).
class components {
public:
    explicit components(const lock_links& graph)
        : of(graph.size(), lock_graph::none),
          graph_(graph),
          seen_(graph.size(), 0),
          low_(graph.size(), 0) {
        for (std::uint32_t start = 0; start < graph.size(); ++start)
            if (seen_[start] == 0) visit(start);
    }

    std::vector<std::uint32_t> of;    ///< by node
    std::vector<std::uint32_t> size;  ///< by component

private:
    void visit(std::uint32_t start) {
        std::vector<std::pair<std::uint32_t, std::size_t>> calls;  // a node, and its next successor
        const auto enter = [&](std::uint32_t node) {
            seen_[node] = low_[node] = ++clock_;
            open_.push_back(node);
            calls.emplace_back(node, 0);
        };
        enter(start);
        while (!calls.empty()) {
            const std::uint32_t node = calls.back().first;
            if (calls.back().second < graph_[node].size()) {
                const std::uint32_t next = graph_[node][calls.back().second++];
                if (seen_[next] == 0)
                    enter(next);
                else if (of[next] == lock_graph::none)
                    low_[node] = std::min(low_[node], seen_[next]);
                continue;
            }
            calls.pop_back();
            if (!calls.empty())
                low_[calls.back().first] = std::min(low_[calls.back().first], low_[node]);
            if (low_[node] == seen_[node]) close(node);
        }
    }
    void close(std::uint32_t root) {
        const auto number = static_cast<std::uint32_t>(size.size());
        size.push_back(0);
        std::uint32_t node = lock_graph::none;
        while (node != root) {
            node = open_.back();
            open_.pop_back();
            of[node] = number;
            ++size.back();
        }
    }

    const lock_links& graph_;
    std::vector<std::uint32_t> seen_;  // 0: not yet
    std::vector<std::uint32_t> low_;
    std::vector<std::uint32_t> open_;
    std::uint32_t clock_ = 0;
};

/// Finds shortest cycles through nodes. All searches together look at `visits_limit` dependencies:
/// a report lists a few cycles, and a damaged dump may have any number.
class cycle_search {
public:
    cycle_search(const lock_links& graph, const components& parts)
        : graph_(graph),
          parts_(parts),
          from_(graph.size(), lock_graph::none),
          round_(graph.size()) {}

    /// Returns the shortest cycle through a node. Empty: there is none, or the limit is reached.
    std::vector<std::uint32_t> through(std::uint32_t start) {
        ++rounds_;
        frontier_.assign(1, start);
        for (std::size_t i = 0; i < frontier_.size() && visits_ < visits_limit; ++i) {
            const std::uint32_t node = frontier_[i];
            for (const std::uint32_t next : graph_[node]) {
                ++visits_;
                if (parts_.of[next] != parts_.of[start]) continue;
                if (next == start) return path(start, node);
                if (round_[next] == rounds_) continue;
                round_[next] = rounds_;
                from_[next] = node;
                frontier_.push_back(next);
            }
        }
        return {};
    }
    bool is_over() const { return visits_ >= visits_limit; }

private:
    static constexpr std::size_t visits_limit = 3'000'000;

    std::vector<std::uint32_t> path(std::uint32_t start, std::uint32_t node) const {
        std::vector<std::uint32_t> path{node};
        while (path.back() != start) path.push_back(from_[path.back()]);
        std::reverse(path.begin(), path.end());
        return path;
    }

    const lock_links& graph_;
    const components& parts_;
    std::vector<std::uint32_t> from_;   // of this round
    std::vector<std::uint32_t> round_;  // in which a node was seen last
    std::vector<std::uint32_t> frontier_;
    std::uint32_t rounds_ = 0;
    std::size_t visits_ = 0;
};

/// A cycle that begins with its least class, so that it compares.
std::vector<std::uint32_t> turned(std::vector<std::uint32_t> cycle) {
    std::rotate(cycle.begin(), std::min_element(cycle.begin(), cycle.end()), cycle.end());
    return cycle;
}

/// Whether no class is in it twice.
bool is_simple(std::vector<std::uint32_t> cycle) {
    std::sort(cycle.begin(), cycle.end());
    return std::adjacent_find(cycle.begin(), cycle.end()) == cycle.end();
}

/// Collects cycles of a graph whose nodes stand for classes, the shortest first.
///
/// @param class_of  (node) -> its class
template <class ClassOf>
void collect(const lock_links& graph, ClassOf class_of, bool needs_writer,
             std::set<std::vector<std::uint32_t>>& known, std::vector<order_cycle>& found) {
    const components parts(graph);
    std::vector<order_cycle> made;
    cycle_search search(graph, parts);
    for (std::uint32_t node = 0; node < graph.size() && !search.is_over(); ++node) {
        if (parts.size[parts.of[node]] < 2) continue;
        std::vector<std::uint32_t> cycle = search.through(node);
        for (std::uint32_t& each : cycle) each = class_of(each);
        if (cycle.size() < 2 || !is_simple(cycle)) continue;
        cycle = turned(std::move(cycle));
        if (known.insert(cycle).second) made.push_back({cycle, needs_writer});
    }
    std::stable_sort(made.begin(), made.end(), [](const order_cycle& a, const order_cycle& b) {
        return a.classes.size() < b.classes.size();
    });
    found.insert(found.end(), made.begin(), made.end());
}

}  // namespace

std::uint32_t lock_graph::class_of(std::string_view name) {
    if (const auto known = by_name_.find(name); known != by_name_.end()) return known->second;
    if (classes_.size() >= class_limit) {
        ++left_out_;
        return none;
    }
    const auto made = static_cast<std::uint32_t>(classes_.size());
    by_name_.emplace(name, made);
    classes_.push_back({std::string(name), 0, false, false, {}});
    return made;
}

std::uint32_t lock_graph::find(std::string_view name) const {
    const auto known = by_name_.find(name);
    return known == by_name_.end() ? none : known->second;
}

void lock_graph::add(std::uint32_t from, std::uint32_t to, std::uint8_t modes, std::uint64_t times,
                     std::string_view where) {
    if (from == none || to == none) return;
    const auto known = index_.find(key_of(from, to));
    if (known != index_.end()) {
        observed_edge& edge = classes_[from].next[known->second];
        edge.modes |= modes;
        edge.count += times;
        return;
    }
    if (index_.size() >= edge_limit) {
        ++left_out_;
        return;
    }
    index_.emplace(key_of(from, to), static_cast<std::uint32_t>(classes_[from].next.size()));
    classes_[from].next.push_back({to, modes, times, std::string(where)});
}

void lock_graph::count_acquire(std::uint32_t which, bool is_write) {
    if (which == none) return;
    ++classes_[which].acquires;
    if (is_write) classes_[which].is_written = true;
}

const observed_edge* lock_graph::edge(std::uint32_t from, std::uint32_t to) const {
    const auto known = index_.find(key_of(from, to));
    return known == index_.end() ? nullptr : &classes_[from].next[known->second];
}

std::vector<order_cycle> lock_graph::cycles(std::size_t most) const {
    // A node is a class and how it is wanted: `2 * class` to write, `2 * class + 1` to read. A
    // cycle in which a reader meets a reader does not block, so no such step is there.
    lock_links strict(2 * classes_.size());
    lock_links loose(classes_.size());
    bool has_modes = false;
    for (std::uint32_t from = 0; from < classes_.size(); ++from) {
        for (const observed_edge& edge : classes_[from].next) {
            if (edge.to == from || !classes_[edge.to].is_written || !classes_[from].is_written)
                continue;
            loose[from].push_back(edge.to);
            has_modes = has_modes || edge.modes != any_modes;
            const auto link = [&](std::uint8_t bits, std::uint32_t wanted, std::uint32_t to) {
                if ((edge.modes & bits) != 0) strict[2 * from + wanted].push_back(2 * edge.to + to);
            };
            link(write_then_write | read_then_write, 0, 0);
            link(write_then_read | read_then_read, 0, 1);
            link(write_then_write, 1, 0);
            link(write_then_read, 1, 1);
        }
    }
    std::set<std::vector<std::uint32_t>> known;
    std::vector<order_cycle> found;
    collect(
        strict, [](std::uint32_t node) { return node / 2; }, false, known, found);
    collect(
        loose, [](std::uint32_t node) { return node; }, has_modes, known, found);
    if (found.size() > most) found.resize(most);
    return found;
}

std::vector<std::uint32_t> lock_graph::path(std::span<const std::uint32_t> from,
                                            std::span<const std::uint32_t> to,
                                            std::span<const std::uint32_t> avoid) const {
    std::vector<std::uint32_t> before(classes_.size(), none);
    std::vector<char> is_target(classes_.size(), 0);
    std::vector<std::uint32_t> frontier;
    for (const std::uint32_t each : avoid) before[each] = each;
    for (const std::uint32_t each : to) {
        is_target[each] = 1;
        before[each] = none;
    }
    for (const std::uint32_t each : from) {
        before[each] = each;
        frontier.push_back(each);
    }
    for (std::size_t i = 0; i < frontier.size(); ++i) {
        for (const observed_edge& edge : classes_[frontier[i]].next) {
            if (before[edge.to] != none) continue;
            before[edge.to] = frontier[i];
            if (is_target[edge.to] == 0) {
                frontier.push_back(edge.to);
                continue;
            }
            std::vector<std::uint32_t> path{edge.to};
            while (before[path.back()] != path.back()) path.push_back(before[path.back()]);
            std::reverse(path.begin(), path.end());
            return path;
        }
    }
    return {};
}

}  // namespace wedge::explain
