// An order of the classes along all dependencies, which shows at once that an edge closes no cycle.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include "wedge/order/graph.hpp"

namespace wedge {

/// Keeps the nodes of a growing graph in an order along its edges (Pearce and Kelly 2006). Nodes on
/// a common cycle share one place, so the order exists whatever edges were added.
///
/// It knows edges and not their modes. Two nodes with different places are on no common cycle. For
/// two nodes with one place, only a search tells. An edge along the order costs two comparisons; an
/// edge against it moves the nodes between its ends.
class topological_order {
public:
    /// Adds an edge that the graph already has. Returns whether its ends share a place.
    bool add(const order_graph& graph, std::uint32_t edge) {
        while (leader_.size() < graph.nodes()) add_node();
        const std::uint32_t from = leader_[graph.edge_at(edge).from];
        const std::uint32_t to = leader_[graph.edge_at(edge).to];
        if (from != to && place_[from] > place_[to]) reorder(graph, from, to);
        return share_place(from, to);
    }

    bool share_place(std::uint32_t a, std::uint32_t b) const noexcept {
        return leader_[a] == leader_[b];
    }

    void clear() noexcept {
        leader_.clear();
        place_.clear();
        next_member_.clear();
        marks_.clear();
    }

private:
    static constexpr std::uint8_t is_ahead = 1;   // the edge's end leads to this node
    static constexpr std::uint8_t is_behind = 2;  // this node leads to the edge's start

    void add_node() {
        const auto node = static_cast<std::uint32_t>(leader_.size());
        leader_.push_back(node);
        place_.push_back(node);
        next_member_.push_back(node);
        marks_.push_back(0);
    }

    /// Moves what leads to `from` before what `to` leads to, within the places between them. A node
    /// that does both is on a cycle with them, so they get one place.
    void reorder(const order_graph& graph, std::uint32_t from, std::uint32_t to) {
        const std::uint32_t first = place_[to];
        const std::uint32_t last = place_[from];
        collect(graph, to, is_ahead, first, last, ahead_);
        collect(graph, from, is_behind, first, last, behind_);
        const auto is_on_cycle = [&](std::uint32_t each) {
            return marks_[each] == (is_ahead | is_behind);
        };
        on_cycle_.clear();
        std::copy_if(ahead_.begin(), ahead_.end(), std::back_inserter(on_cycle_), is_on_cycle);
        std::erase_if(ahead_, is_on_cycle);
        std::erase_if(behind_, is_on_cycle);

        pool_.clear();
        for (const auto* part : {&behind_, &on_cycle_, &ahead_})
            for (const std::uint32_t each : *part) {
                pool_.push_back(place_[each]);
                marks_[each] = 0;
            }
        std::sort(pool_.begin(), pool_.end());
        sort_by_place(behind_);
        sort_by_place(ahead_);
        std::size_t next = 0;
        for (const std::uint32_t each : behind_) place_[each] = pool_[next++];
        if (!on_cycle_.empty()) place_[merged(on_cycle_)] = pool_[next];
        next = pool_.size() - ahead_.size();
        for (const std::uint32_t each : ahead_) place_[each] = pool_[next++];
    }

    /// Collects everything reachable from `start` in one direction within the places between.
    void collect(const order_graph& graph, std::uint32_t start, std::uint8_t mark,
                 std::uint32_t first, std::uint32_t last, std::vector<std::uint32_t>& reached) {
        reached.assign(1, start);
        marks_[start] = marks_[start] | mark;
        for (std::size_t i = 0; i < reached.size(); ++i) {
            std::uint32_t member = reached[i];
            do {
                const order_graph::node& node = graph.node_at(member);
                for (const std::uint32_t e : mark == is_ahead ? node.out : node.in) {
                    const order_graph::edge& edge = graph.edge_at(e);
                    const std::uint32_t other = leader_[mark == is_ahead ? edge.to : edge.from];
                    const bool is_between = place_[other] >= first && place_[other] <= last;
                    if (!is_between || (marks_[other] & mark) != 0) continue;
                    marks_[other] = marks_[other] | mark;
                    reached.push_back(other);
                }
                member = next_member_[member];
            } while (member != reached[i]);
        }
    }

    void sort_by_place(std::vector<std::uint32_t>& nodes) const {
        std::sort(nodes.begin(), nodes.end(),
                  [&](std::uint32_t a, std::uint32_t b) { return place_[a] < place_[b]; });
    }

    /// Merges several places, and returns the node that stands for them.
    std::uint32_t merged(const std::vector<std::uint32_t>& leaders) {
        const std::uint32_t chosen = leaders.front();
        for (const std::uint32_t other : leaders) {
            if (other == chosen) continue;
            for (std::uint32_t member = other;;) {
                leader_[member] = chosen;
                member = next_member_[member];
                if (member == other) break;
            }
            std::swap(next_member_[chosen], next_member_[other]);  // two rings become one
        }
        return chosen;
    }

    // By node. Places and marks count for leaders only. The members of a place form a ring.
    std::vector<std::uint32_t> leader_;
    std::vector<std::uint32_t> place_;
    std::vector<std::uint32_t> next_member_;
    std::vector<std::uint8_t> marks_;

    std::vector<std::uint32_t> ahead_;
    std::vector<std::uint32_t> behind_;
    std::vector<std::uint32_t> on_cycle_;
    std::vector<std::uint32_t> pool_;
};

}  // namespace wedge
