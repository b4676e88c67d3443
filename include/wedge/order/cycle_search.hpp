// The search for the cycles that a new dependency closes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "wedge/order/graph.hpp"
#include "wedge/order/topological_order.hpp"

namespace wedge {

/// Finds the strong paths that lead from a new edge's end back to its start (rules 7 and 8).
///
/// A path is strong if no edge into a recursive read is followed by an edge out of a shared hold.
/// Only simple cycles are counted: a walk that passes a class twice contains a smaller cycle, which
/// was found when its last edge was added. The nodes of a cycle share a place in the topological
/// order, so the search never leaves the place where it starts.
class cycle_search {
public:
    static constexpr std::size_t reported_max = 3;
    static constexpr std::uint32_t cycles_max = 1000;
    static constexpr std::uint32_t steps_max = 50'000;  // about half a millisecond, once per edge

    /// The cycles found, shortest first.
    struct result {
        std::vector<std::vector<std::uint32_t>> cycles;  ///< as edges, the new one first
        std::uint32_t count = 0;
        bool gave_up = false;  ///< there may be more cycles than `count`
    };

    /// @param order  already contains the edge
    /// @param bit    the one mode of the edge that is new
    result run(const order_graph& graph, const topological_order& order, std::uint32_t edge,
               std::uint8_t bit) {
        const order_graph::edge& closing = graph.edge_at(edge);
        graph_ = &graph;
        order_ = &order;
        goal_ = closing.from;
        goal_is_shared_ = (bit & edge_mask::held_exclusively) == 0;
        const state start{closing.to, (bit & edge_mask::wanted_plainly) == 0};
        result found;
        // Another rule handles nesting within a class.
        if (closing.from == closing.to) return found;
        if (!reach(start)) return found;
        measure();
        enumerate(edge, start, found);
        if (found.count == 0 && found.gave_up) add_first_walk(edge, start, found);
        return found;
    }

private:
    struct state {
        std::uint32_t node = 0;
        bool only_recursive = false;
    };
    struct frame {
        state at;
        std::uint32_t next = 0;   // index into the node's edges
        std::uint32_t taken = 0;  // the edge that led here
    };

    static std::size_t index(state s) noexcept {
        return std::size_t{s.node} * 2 + (s.only_recursive ? 1 : 0);
    }

    /// Follows an edge if the path stays strong. Arriving plainly is never worse than arriving by a
    /// recursive read, so of parallel modes only the best one counts.
    static bool follow(state from, const order_graph::edge& e, state& to) noexcept {
        const unsigned usable = from.only_recursive ? e.mask & edge_mask::held_exclusively : e.mask;
        if (usable == 0) return false;
        to = {e.to, (usable & edge_mask::wanted_plainly) == 0};
        return true;
    }
    bool may_return(std::uint32_t node) const noexcept { return order_->share_place(node, goal_); }
    bool closes(state s) const noexcept {
        return s.node == goal_ && !(s.only_recursive && goal_is_shared_);
    }

    /// Returns whether the goal is reached at all. Searches breadth first over pairs (class, only
    /// recursive), and marks both parts as visited (rule 9).
    bool reach(state start) {
        for (const state before : queue_) came_by_[index(before)] = order_graph::none;
        came_by_.resize(std::size_t{graph_->nodes()} * 2, order_graph::none);
        came_from_.resize(came_by_.size());
        queue_.assign(1, start);
        came_by_[index(start)] = 0;
        for (std::size_t i = 0; i < queue_.size(); ++i) {
            const state from = queue_[i];
            for (const std::uint32_t e : graph_->node_at(from.node).out) {
                state to;
                if (!follow(from, graph_->edge_at(e), to)) continue;
                if (!may_return(to.node) || came_by_[index(to)] != order_graph::none) continue;
                came_by_[index(to)] = e;
                came_from_[index(to)] = from;
                queue_.push_back(to);
                if (closes(to)) {
                    end_ = to;
                    return true;
                }
            }
        }
        return false;
    }

    /// Computes the least number of edges from every node to the goal, to prune the enumeration.
    void measure() {
        distance_.assign(graph_->nodes(), order_graph::none);
        distance_[goal_] = 0;
        nearer_.assign(1, goal_);
        for (std::size_t i = 0; i < nearer_.size(); ++i) {
            const std::uint32_t to = nearer_[i];
            for (const std::uint32_t e : graph_->node_at(to).in) {
                const std::uint32_t from = graph_->edge_at(e).from;
                if (!may_return(from) || distance_[from] != order_graph::none) continue;
                distance_[from] = distance_[to] + 1;
                nearer_.push_back(from);
            }
        }
    }

    void enumerate(std::uint32_t edge, state start, result& found) {
        std::uint32_t steps = 0;
        for (std::uint32_t length = distance_[start.node]; length < graph_->nodes(); ++length)
            if (!enumerate_of(length, edge, start, steps, found)) return;
    }

    /// Enumerates all simple cycles of exactly this length. Returns false if there are no longer
    /// ones, or if the search gave up.
    bool enumerate_of(std::uint32_t length, std::uint32_t edge, state start, std::uint32_t& steps,
                      result& found) {
        bool pruned = false;
        on_path_.assign(graph_->nodes(), false);
        on_path_[start.node] = true;
        path_.assign(1, {start, 0, edge});
        while (!path_.empty()) {
            frame& top = path_.back();
            const std::vector<std::uint32_t>& out = graph_->node_at(top.at.node).out;
            if (top.next == out.size()) {
                on_path_[top.at.node] = false;
                path_.pop_back();
                continue;
            }
            if (++steps > steps_max) {
                found.gave_up = true;
                return false;
            }
            const std::uint32_t e = out[top.next++];
            state to;
            if (!follow(top.at, graph_->edge_at(e), to) || on_path_[to.node]) continue;
            if (distance_[to.node] == order_graph::none) continue;
            if (path_.size() + distance_[to.node] > length) {
                pruned = true;
                continue;
            }
            if (to.node != goal_) {
                on_path_[to.node] = true;
                path_.push_back({to, 0, e});
                continue;
            }
            if (path_.size() != length || !closes(to)) continue;
            if (found.count == cycles_max) {
                found.gave_up = true;
                return false;
            }
            if (++found.count <= reported_max) {
                std::vector<std::uint32_t>& cycle = found.cycles.emplace_back();
                for (const frame& f : path_) cycle.push_back(f.taken);
                cycle.push_back(e);
            }
        }
        return pruned;
    }

    /// Adds the walk that `reach` took, if the enumeration gave up before its first cycle.
    void add_first_walk(std::uint32_t edge, state start, result& found) {
        std::vector<std::uint32_t> backwards;
        for (state s = end_; index(s) != index(start); s = came_from_[index(s)])
            backwards.push_back(came_by_[index(s)]);
        backwards.push_back(edge);
        found.count = 1;
        found.cycles.emplace_back(backwards.rbegin(), backwards.rend());
    }

    const order_graph* graph_ = nullptr;
    const topological_order* order_ = nullptr;
    std::uint32_t goal_ = 0;
    bool goal_is_shared_ = false;
    state end_{};
    std::vector<std::uint32_t> came_by_;  // `none`, except for states in the queue
    std::vector<state> came_from_;
    std::vector<state> queue_;
    std::vector<std::uint32_t> nearer_;
    std::vector<std::uint32_t> distance_;
    std::vector<bool> on_path_;
    std::vector<frame> path_;
};

}  // namespace wedge
