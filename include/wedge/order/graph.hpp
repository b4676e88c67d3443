// The graph of lock order: classes, the dependencies between them, and what was seen of each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "wedge/core/hash.hpp"
#include "wedge/order/number_index.hpp"
#include "wedge/order/observation.hpp"

namespace wedge {

/// The modes in which a dependency was seen, as a set of bits (rule 7): {held exclusively, held
/// shared} x {wanted plainly, wanted as a recursive read}.
namespace edge_mask {
inline constexpr std::uint8_t held_exclusively = 0b0011;
inline constexpr std::uint8_t wanted_plainly = 0b0101;

constexpr std::uint8_t of(mode held, mode wanted) noexcept {
    const unsigned bit = (is_shared(held) ? 2U : 0U) + (wanted == mode::recursive_shared ? 1U : 0U);
    return static_cast<std::uint8_t>(1U << bit);
}
}  // namespace edge_mask

/// The graph of lock order. Not synchronised: the checker's writers take turns. `clear` takes time
/// proportional to what was added, and keeps the memory for the next execution.
class order_graph {
public:
    /// A class, or a subclass of it. Nodes are numbered from 0 in the order of discovery.
    struct node {
        std::uint32_t class_id = 0;
        std::uint8_t subclass = 0;
        std::uint32_t sibling = 0;  ///< the number + 1 of the next node of the same class
        std::vector<std::uint32_t> out;
        std::vector<std::uint32_t> in;
    };
    struct edge {
        std::uint32_t from = 0;
        std::uint32_t to = 0;
        std::uint8_t mask = 0;
        bool overflowed = false;  ///< some observations were left out
        std::vector<observation> seen;
    };
    static constexpr std::uint32_t none = 0xffffffffU;

    std::uint32_t nodes() const noexcept { return node_count_; }
    std::uint32_t edges() const noexcept { return edge_count_; }
    const node& node_at(std::uint32_t i) const noexcept { return nodes_[i]; }
    const edge& edge_at(std::uint32_t i) const noexcept { return edges_[i]; }

    /// Returns the node of a class; `none` if the class was not met.
    std::uint32_t find_node(std::uint32_t class_id, std::uint8_t subclass) const noexcept {
        std::uint32_t next = class_id < first_node_.size() ? first_node_[class_id] : 0;
        for (; next != 0; next = nodes_[next - 1].sibling)
            if (nodes_[next - 1].subclass == subclass) return next - 1;
        return none;
    }

    std::uint32_t find_or_add_node(std::uint32_t class_id, std::uint8_t subclass) {
        const std::uint32_t known = find_node(class_id, subclass);
        if (known != none) return known;
        if (class_id >= first_node_.size()) first_node_.resize(class_id + std::size_t{1});
        if (node_count_ == nodes_.size()) nodes_.emplace_back();
        node& made = nodes_[node_count_];
        made.class_id = class_id;
        made.subclass = subclass;
        made.sibling = std::exchange(first_node_[class_id], node_count_ + 1);
        return node_count_++;
    }

    /// Returns the edge between two nodes; `none` if it was not seen.
    std::uint32_t find_edge(std::uint32_t from, std::uint32_t to) const noexcept {
        return edge_index_.find(hash_of(from, to), [&](std::uint32_t e) {
            return edges_[e].from == from && edges_[e].to == to;
        });
    }

    struct added {
        std::uint32_t edge = none;
        /// The edge or this bit of its mask is new, so cycles must be searched.
        bool has_new_mode = false;
        /// An observation seen for the first time; valid until the next `add`.
        observation* kept = nullptr;
    };

    /// Adds an observation of a dependency.
    ///
    /// @param seen_max  the number of observations to keep per edge, besides the first one of each
    ///     mode
    added add(std::uint32_t from, std::uint32_t to, observation&& seen, std::size_t seen_max) {
        std::uint32_t index = find_edge(from, to);
        if (index == none) {
            if (edge_count_ == edges_.size()) edges_.emplace_back();
            index = edge_count_++;
            edges_[index].from = from;
            edges_[index].to = to;
            nodes_[from].out.push_back(index);
            nodes_[to].in.push_back(index);
            edge_index_.add(hash_of(from, to), index);
        }
        edge& e = edges_[index];
        const std::uint8_t bit = edge_mask::of(seen.held.how, seen.wanted.how);
        const bool is_new = (e.mask & bit) == 0;
        e.mask = static_cast<std::uint8_t>(e.mask | bit);
        const std::uint64_t hash = combine(index, seen.step_hash());
        const std::uint32_t before = step_index_.find(hash, [&](std::uint32_t i) {
            return i < e.seen.size() && e.seen[i].is_same_step(seen);
        });
        if (before != none) {
            e.seen[before].guards.keep_common(seen.guards);
        } else if (e.seen.size() < seen_max || is_new) {
            step_index_.add(hash, static_cast<std::uint32_t>(e.seen.size()));
            e.seen.push_back(std::move(seen));
            return {index, is_new, &e.seen.back()};
        } else {
            e.overflowed = true;
        }
        return {index, is_new};
    }

    void clear() noexcept {
        for (std::uint32_t i = 0; i < edge_count_; ++i) {
            edges_[i].mask = 0;
            edges_[i].overflowed = false;
            edges_[i].seen.clear();
        }
        for (std::uint32_t i = 0; i < node_count_; ++i) {
            first_node_[nodes_[i].class_id] = 0;
            nodes_[i].out.clear();
            nodes_[i].in.clear();
        }
        edge_index_.clear();
        step_index_.clear();
        edge_count_ = 0;
        node_count_ = 0;
    }

private:
    static std::uint64_t hash_of(std::uint32_t from, std::uint32_t to) noexcept {
        return mix(std::uint64_t{from} << 32 | to);
    }

    std::vector<node> nodes_;
    std::vector<edge> edges_;
    std::vector<std::uint32_t> first_node_;  // by class: the number + 1 of its first node; 0: none
    number_index edge_index_;                // by the two nodes
    number_index step_index_;                // places in `edge::seen`, by the edge and the step
    std::uint32_t node_count_ = 0;
    std::uint32_t edge_count_ = 0;
};

}  // namespace wedge
