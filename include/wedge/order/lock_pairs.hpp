// The lock pairs that runs have shown: a class that was held while another class was wanted.
#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "wedge/core/finding.hpp"
#include "wedge/core/lock_class.hpp"
#include "wedge/order/context_class.hpp"
#include "wedge/order/describe.hpp"
#include "wedge/order/graph.hpp"

namespace wedge {

/// A list with one dependency per lock pair, in the order of discovery. Not synchronised.
class lock_pair_list {
public:
    /// Adds the pairs that a graph has seen. Left out are orders that were only stated, pairs with
    /// an interrupt context, which is no lock, and wedge's own locks.
    void add(const order_graph& shown) {
        for (std::uint32_t e = 0; e < shown.edges(); ++e) {
            const order_graph::edge& edge = shown.edge_at(e);
            const auto seen = std::find_if(edge.seen.begin(), edge.seen.end(),
                                           [](const observation& each) { return !each.primed; });
            if (seen == edge.seen.end()) continue;
            const classes names{seen->held.class_id, seen->wanted.class_id};
            // A fuzz target adds thousands of graphs, and most have nothing new.
            if (known_.contains(names)) continue;
            known_.insert(names);
            if (is_of_user(names.first) && is_of_user(names.second))
                all_.push_back(detail::dependency_of(*seen));
        }
    }
    /// Adds pairs of other runs of this process.
    void add(const std::vector<dependency>& others) {
        for (const dependency& each : others)
            if (known_.emplace(each.held.class_id, each.wanted.class_id).second)
                all_.push_back(each);
    }

    const std::vector<dependency>& all() const noexcept { return all_; }

private:
    using classes = std::pair<std::uint32_t, std::uint32_t>;  // held, wanted

    static bool is_of_user(std::uint32_t class_id) {
        return !detail::is_context_class(class_id) &&
               !lock_class::from_id(class_id).options().is_internal;
    }

    std::vector<dependency> all_;
    std::set<classes> known_;  // of the pairs in all_, and of those that were left out
};

}  // namespace wedge
