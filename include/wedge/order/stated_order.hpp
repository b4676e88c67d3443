// The order that a program has stated, and the cycle that an acquire against it closes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "wedge/core/finding.hpp"
#include "wedge/order/describe.hpp"
#include "wedge/order/graph.hpp"

namespace wedge {

/// The stated dependencies of a graph (rule 20), without the observed ones.
class stated_order {
public:
    stated_order() = default;
    explicit stated_order(const order_graph& graph) {
        for (std::uint32_t i = 0; i < graph.edges(); ++i) {
            const std::vector<observation>& seen = graph.edge_at(i).seen;
            const auto stated = std::find_if(seen.begin(), seen.end(),
                                             [](const auto& each) { return each.primed; });
            if (stated != seen.end()) stated_.push_back(detail::dependency_of(*stated));
        }
    }

    /// Returns the cycle that an acquire under this hold closes. Empty: the acquire is not against
    /// the stated order, or both directions were stated.
    std::vector<dependency> closed_by(const dependency& taken) const {
        if (!way(taken.held.class_id, taken.wanted.class_id).empty()) return {};
        std::vector<dependency> circle = way(taken.wanted.class_id, taken.held.class_id);
        if (!circle.empty()) circle.insert(circle.begin(), taken);
        return circle;
    }

private:
    /// Returns the shortest chain of statements that leads from one class to another; empty: none
    /// does.
    std::vector<dependency> way(std::uint32_t from, std::uint32_t to) const {
        struct arrival {
            const dependency* by;
            std::size_t before;
        };
        std::vector<arrival> steps{{nullptr, 0}};
        for (std::size_t i = 0; i < steps.size(); ++i) {
            const std::uint32_t at = i == 0 ? from : steps[i].by->wanted.class_id;
            for (const dependency& next : stated_) {
                if (next.held.class_id != at) continue;
                const std::uint32_t reached = next.wanted.class_id;
                if (reached == from ||
                    std::any_of(steps.begin() + 1, steps.end(), [&](const arrival& each) {
                        return each.by->wanted.class_id == reached;
                    }))
                    continue;
                steps.push_back({&next, i});
                if (reached != to) continue;
                std::vector<dependency> found;
                for (std::size_t back = steps.size() - 1; back != 0; back = steps[back].before)
                    found.insert(found.begin(), *steps[back].by);
                return found;
            }
        }
        return {};
    }

    std::vector<dependency> stated_;
};

}  // namespace wedge
